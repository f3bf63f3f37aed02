/* W1, mixdown: the eight same-shaped stereo tracks of a bus side by side in sixteen SIMD lanes.
 * This is the limit: what a perfect compiler of the graph emits. */
#include "common.h"
#include "w1_parts.h"

#define LANES 16
#define PARTS (sizeof(REAL) / sizeof(float)) /* vectors that hold sixteen REALs */
#define WIDTH (LANES / PARTS)

typedef float Lanes __attribute__((vector_size(64)));
typedef int Mask __attribute__((vector_size(64)));
typedef REAL Part __attribute__((vector_size(64)));
typedef float FloatPart __attribute__((vector_size(64 / PARTS)));
#define SELECT(mask, a, b) ((Lanes)(((mask) & (Mask)(a)) | (~(mask) & (Mask)(b))))

static void power(const Compressor *c, float *restrict envelope, int n) {
    for (int i = 0; i < n; i++) {
        float over = envelope[i] * c->over_threshold;
        envelope[i] = powf(over > 1 ? over : 1, c->exponent);
    }
}

/* The state and coefficients of eight stereo tracks. */
typedef struct {
    Part c[PARTS][4][5], z[PARTS][4][2];
    Lanes envelope, gain;
    const float *samples[8];
} Group;

int main(int count, char **values) {
    Args a = args(count, values, FREEVERB_LARGEST_BLOCK);
    flush_denormals();
    static Group groups[4] ALIGNED;
    const Compressor on_track = compressor(-18, 4, 10, 100), on_bus = compressor(-12, 2, 20, 200),
                     ducker = compressor(-24, 4, 5, 150);
    volatile float level_a = 0.125f, level_b = 0.0631f; /* run-time parameters */
    for (int i = 0; i < 32; i++) {
        char name[32];
        snprintf(name, sizeof name, "trk%02d.wav", i);
        Group *g = &groups[i % 4];
        g->samples[i / 4] = wav_open(a.inputs, name, a.frames).samples;
        Biquad q[4] = {
            biquad(LOW_SHELF, 80 * (1 + .01 * i), -3, .7071),
            biquad(PEAK, 400 * (1 + .01 * i), 2, 1),
            biquad(PEAK, 3000 * (1 + .01 * i), -2, 1.4),
            biquad(HIGH_SHELF, 9000 * (1 + .005 * i), 2, .7071),
        };
        double theta = (2 * i / 31.0) * M_PI / 4, gain = pow(10, (-(i % 7) - 6) / 20.0);
        for (int c = 0; c < 2; c++) {
            int lane = (i / 4) * 2 + c, part = lane / WIDTH, at = lane % WIDTH;
            for (int k = 0; k < 4; k++) {
                REAL v[5] = {q[k].b0, q[k].b1, q[k].b2, -q[k].a1, -q[k].a2};
                for (int j = 0; j < 5; j++) g->c[part][k][j][at] = v[j];
            }
            g->gain[lane] = gain * M_SQRT2 * (c ? sin(theta) : cos(theta));
        }
    }
    static Freeverb reverb;
    freeverb_init(&reverb);
    FILE *out = out_open(a.out, a.frames);
    static Lanes X[MAX_BLOCK], E[MAX_BLOCK];
    static float bus[8][MAX_BLOCK], to_reverb[2][MAX_BLOCK], to_delay[2][MAX_BLOCK], wet[2][MAX_BLOCK];
    static float mix[MAX_BLOCK * 2], key[MAX_BLOCK], envelopes[8][MAX_BLOCK], bus_env[8], key_env;
    for (long o = 0; o < a.frames; o += a.block) {
        int n = a.frames - o < a.block ? a.frames - o : a.block;
        for (int v = 0; v < 4; v++) {
            Group *group = &groups[v];
            /* Eight stereo files into sixteen lanes: a frame of a file is eight bytes. */
            for (int t = 0; t < 8; t++) {
                const float *s = group->samples[t] + 2 * o;
                float *d = (float *)X + 2 * t;
                for (int i = 0; i < n; i++) memcpy(d + LANES * i, s + 2 * i, 8);
            }
            Part c[PARTS][4][5], z[PARTS][4][2];
            memcpy(c, group->c, sizeof c);
            memcpy(z, group->z, sizeof z);
            Lanes e = group->envelope;
            for (int i = 0; i < n; i++) {
                Lanes x = X[i];
                FloatPart *xs = (FloatPart *)&x;
                Part u[PARTS];
                for (int h = 0; h < PARTS; h++) u[h] = __builtin_convertvector(xs[h], Part);
#pragma GCC unroll 4
                for (int k = 0; k < 4; k++) {
#pragma GCC unroll 2
                    for (int h = 0; h < PARTS; h++) {
                        Part y = c[h][k][0] * u[h] + z[h][k][0];
                        z[h][k][0] = c[h][k][3] * y + (c[h][k][1] * u[h] + z[h][k][1]);
                        z[h][k][1] = c[h][k][4] * y + c[h][k][2] * u[h];
                        u[h] = y;
                    }
                }
                for (int h = 0; h < PARTS; h++) xs[h] = __builtin_convertvector(u[h], FloatPart);
                X[i] = x;
                Lanes m = (Lanes)((Mask)x & 0x7fffffff);
                Lanes up = m * (1 - on_track.attack) + on_track.attack * e;
                Lanes down = m * (1 - on_track.release) + on_track.release * e;
                Mask rising = m > e;
                e = SELECT(rising, up, down);
                E[i] = e;
            }
            memcpy(group->z, z, sizeof z);
            group->envelope = e;
            power(&on_track, (float *)E, n * LANES);
            Lanes g = group->gain;
            float *restrict bl = bus[2 * v], *restrict br = bus[2 * v + 1];
            for (int i = 0; i < n; i++) {
                Lanes y = X[i] * E[i] * g;
                float *q = (float *)&y, l = 0, r = 0;
                for (int k = 0; k < 8; k++) l += q[2 * k], r += q[2 * k + 1];
                bl[i] = l;
                br[i] = r;
            }
        }
        /* Every track sends at one level, so the sends are taken from the sums. */
        float la = level_a, lb = level_b;
        for (int c = 0; c < 2; c++)
            for (int i = 0; i < n; i++) {
                float s = bus[c][i] + bus[2 + c][i] + bus[4 + c][i] + bus[6 + c][i];
                to_reverb[c][i] = la * s;
                to_delay[c][i] = lb * s;
            }
        for (int i = 0; i < n; i++)
            for (int b = 0; b < 8; b++) {
                float s = fabsf(bus[b][i]), k = s > bus_env[b] ? on_bus.attack : on_bus.release;
                bus_env[b] = s + k * (bus_env[b] - s);
                envelopes[b][i] = bus_env[b];
            }
        for (int b = 0; b < 8; b++) {
            power(&on_bus, envelopes[b], n);
            for (int i = 0; i < n; i++) bus[b][i] *= envelopes[b][i];
        }
        for (int i = 0; i < n; i++) {
            float s = fmaxf(fabsf(bus[0][i]), fabsf(bus[1][i])), k = s > key_env ? ducker.attack : ducker.release;
            key_env = s + k * (key_env - s);
            key[i] = key_env;
        }
        power(&ducker, key, n);
        freeverb_run(&reverb, to_reverb[0], to_reverb[1], wet[0], wet[1], n);
        for (int c = 0; c < 2; c++)
            for (int i = 0; i < n; i++)
                mix[2 * i + c] = bus[c][i] + bus[2 + c][i] * key[i] + bus[4 + c][i] + bus[6 + c][i] + wet[c][i];
        delay_add(to_delay, mix, n);
        limit(mix, n);
        fwrite(mix, 8, n, out);
    }
    return out_close(out, a.out);
}
