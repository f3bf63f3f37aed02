/* What both forms of W1 share: the compressor's constants, the reverb and the delay returns, the limiter. */

/* --- The compressor of the workloads: feed-forward, hard knee, one-pole envelope of |x| ------------------------- */

typedef struct {
    float threshold, over_threshold /* 1 / threshold */, exponent, attack, release;
} Compressor;

static Compressor compressor(double threshold_db, double ratio, double attack_ms, double release_ms) {
    float threshold = pow(10, threshold_db / 20);
    return (Compressor){threshold, 1 / threshold, 1 / ratio - 1, exp(-1000 / (attack_ms * RATE)),
                        exp(-1000 / (release_ms * RATE))};
}

/* --- Freeverb: 8 damped combs and 4 allpasses per channel, a block at a time ------------------------------------ */

typedef struct {
    float *line;
    int length, at;
    float state;
} Comb;

typedef struct {
    float *line;
    int length, at;
} Allpass;

typedef struct {
    Comb comb[2][8];
    Allpass allpass[2][4];
} Freeverb;

static void freeverb_init(Freeverb *f) {
    static const int combs[8] = {1116, 1188, 1277, 1356, 1422, 1491, 1557, 1617};
    static const int allpasses[4] = {556, 441, 341, 225};
    const int spread = 23;
    for (int ch = 0; ch < 2; ch++) {
        for (int k = 0; k < 8; k++) {
            int n = (combs[k] + spread * ch) * 48000 / 44100;
            f->comb[ch][k] = (Comb){calloc(n, sizeof(float)), n, 0, 0};
        }
        for (int k = 0; k < 4; k++) {
            int n = (allpasses[k] + spread * ch) * 48000 / 44100;
            f->allpass[ch][k] = (Allpass){calloc(n, sizeof(float)), n, 0};
        }
    }
}

static void freeverb_run(Freeverb *f, const float *restrict left, const float *restrict right,
                         float *restrict out_left, float *restrict out_right, int n) {
    const float feedback = 0.896f, damping = 0.2f;
    float in[MAX_BLOCK];
    for (int i = 0; i < n; i++) in[i] = (left[i] + right[i]) * 0.015f;
    for (int ch = 0; ch < 2; ch++) {
        float *restrict out = ch ? out_right : out_left;
        memset(out, 0, n * sizeof(float));
        /* Lines are longer than a block, so a block is read, run and written back: 8 recursions side by side. */
        float state[8], y[8][MAX_BLOCK];
        for (int k = 0; k < 8; k++) {
            Comb *c = &f->comb[ch][k];
            int m = c->length - c->at < n ? c->length - c->at : n;
            state[k] = c->state;
            memcpy(y[k], c->line + c->at, m * sizeof(float));
            if (m < n) memcpy(y[k] + m, c->line, (n - m) * sizeof(float));
        }
        for (int i = 0; i < n; i++) {
            float sum = 0;
            for (int k = 0; k < 8; k++) {
                float v = y[k][i];
                sum += v;
                state[k] = v * (1 - damping) + state[k] * damping;
                y[k][i] = in[i] + state[k] * feedback;
            }
            out[i] = sum;
        }
        for (int k = 0; k < 8; k++) {
            Comb *c = &f->comb[ch][k];
            int m = c->length - c->at < n ? c->length - c->at : n;
            memcpy(c->line + c->at, y[k], m * sizeof(float));
            if (m < n) memcpy(c->line, y[k] + m, (n - m) * sizeof(float));
            c->at = (c->at + n) % c->length;
            c->state = state[k];
        }
        for (int k = 0; k < 4; k++) {
            Allpass *a = &f->allpass[ch][k];
            for (int i = 0; i < n;) {
                int m = a->length - a->at < n - i ? a->length - a->at : n - i;
                float *restrict line = a->line + a->at, *restrict x = out + i;
                for (int j = 0; j < m; j++) {
                    float v = line[j], u = x[j];
                    line[j] = u + v * 0.5f;
                    x[j] = v - u;
                }
                a->at = a->at + m == a->length ? 0 : a->at + m;
                i += m;
            }
        }
    }
}
#define FREEVERB_LARGEST_BLOCK 1024 /* shorter than the shortest comb */

/* --- Delay return and limiter ----------------------------------------------------------------------------------- */

/* Per channel y[n] = x[n - 18000] + 0.4 y[n - 18000], wet, added to interleaved frames. */
static void delay_add(const float x[2][MAX_BLOCK], float *restrict frames, int n) {
    enum { LENGTH = 18000 };
    static float line[2][LENGTH];
    static int start;
    int at = start;
    for (int c = 0; c < 2; c++) {
        at = start;
        for (int i = 0; i < n;) {
            int m = LENGTH - at < n - i ? LENGTH - at : n - i;
            float *restrict l = line[c] + at;
            for (int j = 0; j < m; j++) {
                float y = l[j];
                l[j] = x[c][i + j] + 0.4f * y;
                frames[2 * (i + j) + c] += y;
            }
            at = at + m == LENGTH ? 0 : at + m;
            i += m;
        }
    }
    start = at;
}

/* Ceiling -1 dBFS, instant attack, 50 ms release, channels linked; in place. */
static void limit(float *restrict frames, int n) {
    static float envelope;
    const float release = exp(-1000 / (50 * RATE)), ceiling = pow(10, -1 / 20.);
    float e = envelope;
    for (int i = 0; i < n; i++) {
        float loudest = fmaxf(fabsf(frames[2 * i]), fabsf(frames[2 * i + 1]));
        e = fmaxf(loudest, e * release);
        float gain = e > ceiling ? ceiling / e : 1;
        frames[2 * i] *= gain;
        frames[2 * i + 1] *= gain;
    }
    envelope = e;
}
