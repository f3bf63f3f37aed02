/* W3, deep: 200 biquads in series. MODE: "" one pass per biquad, left and right together; "lanes" neighbours in the
 * chain side by side in one vector, each a frame behind the one before it (a skewed wavefront; the limit). */
#include "common.h"

#define STAGES 200
#define WIDTH ((int)(64 / sizeof(REAL)))
#define WAVES ((STAGES + WIDTH - 1) / WIDTH)
#if REAL_IS_DOUBLE
typedef long Mask __attribute__((vector_size(64)));
#else
typedef int Mask __attribute__((vector_size(64)));
#endif
typedef REAL Lanes __attribute__((vector_size(64)));
#define SELECT(mask, a, b) ((Lanes)(((mask) & (Mask)(a)) | (~(mask) & (Mask)(b))))

typedef struct {
    Lanes c[5], z[2][2];
} Wave;

/* On its own, because inlined it comes out two hundredths slower. */
__attribute__((noinline)) static void in_passes(const Biquad *q, REAL (*state)[4], float *restrict l,
                                                float *restrict r, int n) {
    for (int k = 0; k < STAGES; k++) {
        REAL b0 = q[k].b0, b1 = q[k].b1, b2 = q[k].b2, a1 = q[k].a1, a2 = q[k].a2;
        REAL x0 = state[k][0], x1 = state[k][1], y0 = state[k][2], y1 = state[k][3];
        for (int i = 0; i < n; i++) {
            REAL x = l[i], y = b0 * x + x0;
            x0 = b1 * x - a1 * y + x1;
            x1 = b2 * x - a2 * y;
            l[i] = y;
            REAL u = r[i], v = b0 * u + y0;
            y0 = b1 * u - a1 * v + y1;
            y1 = b2 * u - a2 * v;
            r[i] = v;
        }
        state[k][0] = x0, state[k][1] = x1, state[k][2] = y0, state[k][3] = y1;
    }
}

static void in_waves(Wave *waves, float *restrict l, float *restrict r, int n) {
    Mask shift, lane;
    for (int j = 0; j < WIDTH; j++) lane[j] = j, shift[j] = j ? j - 1 : WIDTH;
    for (int g = 0; g < WAVES; g++) {
        Wave *w = &waves[g];
        Lanes b0 = w->c[0], b1 = w->c[1], b2 = w->c[2], a1 = w->c[3], a2 = w->c[4];
        Lanes p0 = w->z[0][0], p1 = w->z[0][1], q0 = w->z[1][0], q1 = w->z[1][1], yl = {0}, yr = {0};
        int i = 0;
/* A frame enters lane 0 while the others take over what their neighbour made. Where the wave fills and drains, EDGE,
 * lanes without a frame of this block keep their state. */
#define ADVANCE(EDGE)                                                                                           \
    {                                                                                                           \
        Lanes in_l = {i < n ? l[i] : 0}, in_r = {i < n ? r[i] : 0};                                             \
        Lanes x = __builtin_shuffle(yl, in_l, shift), u = __builtin_shuffle(yr, in_r, shift);                   \
        Lanes y = b0 * x + p0, v = b0 * u + q0;                                                                 \
        Lanes n0 = a1 * y + (b1 * x + p1), n1 = a2 * y + b2 * x;                                                \
        Lanes m0 = a1 * v + (b1 * u + q1), m1 = a2 * v + b2 * u;                                                \
        if (EDGE) {                                                                                             \
            Mask on = (lane <= i) & (lane > i - n);                                                             \
            p0 = SELECT(on, n0, p0), p1 = SELECT(on, n1, p1), q0 = SELECT(on, m0, q0), q1 = SELECT(on, m1, q1); \
        } else                                                                                                  \
            p0 = n0, p1 = n1, q0 = m0, q1 = m1;                                                                 \
        yl = y, yr = v;                                                                                         \
        if (i >= WIDTH - 1) l[i - WIDTH + 1] = y[WIDTH - 1], r[i - WIDTH + 1] = v[WIDTH - 1];                   \
    }
        for (; i < WIDTH - 1; i++) ADVANCE(1)
        for (; i < n; i++) ADVANCE(0)
        for (; i < n + WIDTH - 1; i++) ADVANCE(1)
        w->z[0][0] = p0, w->z[0][1] = p1, w->z[1][0] = q0, w->z[1][1] = q1;
    }
}

int main(int count, char **values) {
    Args a = args(count, values, MAX_BLOCK);
    flush_denormals();
    Wav source = wav_open(a.inputs, "src.wav", a.frames);
    int lanes = !strcmp(a.mode, "lanes");
    static Biquad q[WAVES * WIDTH];
    static REAL state[STAGES][4];
    static Wave waves[WAVES] ALIGNED;
    for (int k = 0; k < WAVES * WIDTH; k++) {
        q[k] = k < STAGES ? biquad(PEAK, 50 * pow(2, 8.0 * k / STAGES), k % 2 ? -.5 : .5, 1) : (Biquad){1, 0, 0, 0, 0};
        REAL v[5] = {q[k].b0, q[k].b1, q[k].b2, -q[k].a1, -q[k].a2};
        for (int j = 0; j < 5; j++) waves[k / WIDTH].c[j][k % WIDTH] = v[j];
    }
    FILE *out = out_open(a.out, a.frames);
    static float l[MAX_BLOCK + 64], r[MAX_BLOCK + 64], mix[MAX_BLOCK * 2];
    for (long o = 0; o < a.frames; o += a.block) {
        int n = a.frames - o < a.block ? a.frames - o : a.block;
        const float *s = source.samples + 2 * o;
        for (int i = 0; i < n; i++) l[i] = s[2 * i], r[i] = s[2 * i + 1];
        if (lanes)
            in_waves(waves, l, r, n);
        else
            in_passes(q, state, l, r, n);
        for (int i = 0; i < n; i++) mix[2 * i] = l[i], mix[2 * i + 1] = r[i];
        fwrite(mix, 8, n, out);
    }
    return out_close(out, a.out);
}
