/* W2, wide: 500 gains of one source, summed. MODE: "" one pass per gain; "lanes" the sum stays in registers while 500
 * gains go by (the limit; needs AVX-512); "folded" one gain, what a compiler may do that is told the gains. */
#include "common.h"

#define GAINS 500
#if defined(__AVX512F__)
typedef float Lanes __attribute__((vector_size(64), aligned(4)));

static void in_registers(const float *x, float *out, const float *gain, int n) {
    for (int i = 0; i < n; i += 64) {
        const Lanes *X = (const Lanes *)(x + i);
        Lanes *O = (Lanes *)(out + i), a = X[0], b = X[1], c = X[2], d = X[3], A = a * 0, B = A, C = A, D = A;
        for (int k = 0; k < GAINS; k++) {
            float g = gain[k];
            __asm__ volatile("" : "+v"(a), "+v"(b), "+v"(c), "+v"(d)); /* or the gains would be summed first */
            A += a * g, B += b * g, C += c * g, D += d * g;
        }
        O[0] = A, O[1] = B, O[2] = C, O[3] = D;
    }
}
#endif

int main(int count, char **values) {
    Args a = args(count, values, MAX_BLOCK);
    flush_denormals();
    Wav source = wav_open(a.inputs, "src.wav", a.frames);
    static float gain[GAINS], x[MAX_BLOCK * 2 + 64], sum[MAX_BLOCK * 2 + 64];
    for (int k = 0; k < GAINS; k++) gain[k] = (1 + .001 * k) / GAINS;
    FILE *out = out_open(a.out, a.frames);
    for (long o = 0; o < a.frames; o += a.block) {
        int n = (a.frames - o < a.block ? a.frames - o : a.block) * 2;
        memcpy(x, source.samples + 2 * o, n * sizeof(float));
        memset(sum, 0, n * sizeof(float));
        if (!strcmp(a.mode, "folded")) {
            float g = 0;
            for (int k = 0; k < GAINS; k++) g += gain[k];
            for (int i = 0; i < n; i++) sum[i] = x[i] * g;
        } else if (!strcmp(a.mode, "lanes")) {
#if defined(__AVX512F__)
            in_registers(x, sum, gain, n);
#else
            fail("this mode needs AVX-512", values[0]);
#endif
        } else
            for (int k = 0; k < GAINS; k++) {
                float g = gain[k];
                __asm__ volatile("" : "+m"(sum) : "m"(x)); /* keeps the passes apart */
                for (int i = 0; i < n; i++) sum[i] += g * x[i];
            }
        fwrite(sum, 4, n, out);
    }
    return out_close(out, a.out);
}
