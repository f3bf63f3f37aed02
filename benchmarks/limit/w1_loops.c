/* W1, mixdown: one loop per node over planar blocks; the four EQ bands of a track are one loop, buses add in place.
 * This is what a good compiler of the graph emits when every node is on its own. */
#include "common.h"
#include "w1_parts.h"

typedef struct {
    Biquad c;
    REAL z[4]; /* left, left, right, right */
} Band;

static void eq(Band *band, float *restrict l, float *restrict r, int n) {
    REAL z[4][4];
    Biquad c[4];
    for (int k = 0; k < 4; k++) c[k] = band[k].c;
    for (int k = 0; k < 4; k++)
        for (int j = 0; j < 4; j++) z[k][j] = band[k].z[j];
    for (int i = 0; i < n; i++) {
        REAL x = l[i], u = r[i];
#pragma GCC unroll 4
        for (int k = 0; k < 4; k++) {
            REAL y = c[k].b0 * x + z[k][0], v = c[k].b0 * u + z[k][2];
            z[k][0] = c[k].b1 * x - c[k].a1 * y + z[k][1];
            z[k][1] = c[k].b2 * x - c[k].a2 * y;
            z[k][2] = c[k].b1 * u - c[k].a1 * v + z[k][3];
            z[k][3] = c[k].b2 * u - c[k].a2 * v;
            x = y;
            u = v;
        }
        l[i] = x;
        r[i] = u;
    }
    for (int k = 0; k < 4; k++)
        for (int j = 0; j < 4; j++) band[k].z[j] = z[k][j];
}

/* The gain of a compressor whose key is x. */
static void gain_of(const Compressor *c, const float *restrict x, float *restrict gain, float *envelope, int n) {
    float e = *envelope;
    for (int i = 0; i < n; i++) {
        float a = fabsf(x[i]), k = a > e ? c->attack : c->release;
        e = a + k * (e - a);
        gain[i] = e;
    }
    *envelope = e;
    for (int i = 0; i < n; i++) {
        float over = gain[i] * c->over_threshold;
        gain[i] = powf(over > 1 ? over : 1, c->exponent);
    }
}

int main(int count, char **values) {
    Args a = args(count, values, FREEVERB_LARGEST_BLOCK);
    flush_denormals();
    static Band bands[32][4];
    static Wav track[32];
    static float track_env[32][2], bus_env[4][2], key_env, gain_l[32], gain_r[32];
    const Compressor on_track = compressor(-18, 4, 10, 100), on_bus = compressor(-12, 2, 20, 200),
                     ducker = compressor(-24, 4, 5, 150);
    volatile float level_a = 0.125f, level_b = 0.0631f; /* run-time parameters */
    for (int i = 0; i < 32; i++) {
        char name[32];
        snprintf(name, sizeof name, "trk%02d.wav", i);
        track[i] = wav_open(a.inputs, name, a.frames);
        bands[i][0].c = biquad(LOW_SHELF, 80 * (1 + .01 * i), -3, .7071);
        bands[i][1].c = biquad(PEAK, 400 * (1 + .01 * i), 2, 1);
        bands[i][2].c = biquad(PEAK, 3000 * (1 + .01 * i), -2, 1.4);
        bands[i][3].c = biquad(HIGH_SHELF, 9000 * (1 + .005 * i), 2, .7071);
        double theta = (2 * i / 31.0) * M_PI / 4, gain = pow(10, (-(i % 7) - 6) / 20.0);
        gain_l[i] = gain * M_SQRT2 * cos(theta);
        gain_r[i] = gain * M_SQRT2 * sin(theta);
    }
    static Freeverb reverb;
    freeverb_init(&reverb);
    FILE *out = out_open(a.out, a.frames);
    static float L[MAX_BLOCK], R[MAX_BLOCK], GL[MAX_BLOCK], GR[MAX_BLOCK], bus[4][2][MAX_BLOCK];
    static float to_reverb[2][MAX_BLOCK], to_delay[2][MAX_BLOCK], wet[2][MAX_BLOCK], mix[MAX_BLOCK * 2];
    for (long o = 0; o < a.frames; o += a.block) {
        int n = a.frames - o < a.block ? a.frames - o : a.block;
        size_t bytes = n * sizeof(float);
        for (int c = 0; c < 2; c++) {
            for (int b = 0; b < 4; b++) memset(bus[b][c], 0, bytes);
            memset(to_reverb[c], 0, bytes);
            memset(to_delay[c], 0, bytes);
        }
        for (int t = 0; t < 32; t++) {
            const float *s = track[t].samples + 2 * o;
            for (int i = 0; i < n; i++) L[i] = s[2 * i], R[i] = s[2 * i + 1];
            eq(bands[t], L, R, n);
            gain_of(&on_track, L, GL, &track_env[t][0], n);
            gain_of(&on_track, R, GR, &track_env[t][1], n);
            float *restrict bl = bus[t & 3][0], *restrict br = bus[t & 3][1];
            float la = level_a, lb = level_b;
            for (int i = 0; i < n; i++) {
                float l = L[i] * GL[i] * gain_l[t], r = R[i] * GR[i] * gain_r[t];
                bl[i] += l;
                br[i] += r;
                to_reverb[0][i] += la * l;
                to_reverb[1][i] += la * r;
                to_delay[0][i] += lb * l;
                to_delay[1][i] += lb * r;
            }
        }
        for (int b = 0; b < 4; b++)
            for (int c = 0; c < 2; c++) {
                gain_of(&on_bus, bus[b][c], GL, &bus_env[b][c], n);
                float *restrict x = bus[b][c];
                for (int i = 0; i < n; i++) x[i] *= GL[i];
            }
        for (int i = 0; i < n; i++) L[i] = fmaxf(fabsf(bus[0][0][i]), fabsf(bus[0][1][i]));
        gain_of(&ducker, L, GL, &key_env, n);
        freeverb_run(&reverb, to_reverb[0], to_reverb[1], wet[0], wet[1], n);
        for (int c = 0; c < 2; c++)
            for (int i = 0; i < n; i++)
                mix[2 * i + c] = bus[0][c][i] + bus[1][c][i] * GL[i] + bus[2][c][i] + bus[3][c][i] + wet[c][i];
        delay_add(to_delay, mix, n);
        limit(mix, n);
        fwrite(mix, 8, n, out);
    }
    return out_close(out, a.out);
}
