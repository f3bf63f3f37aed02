/* W4, convolution: uniformly partitioned overlap-save with FFTW, partition = BLOCK, left with left and right with
 * right. Plans are estimated, so that planning costs nothing. */
#include "common.h"
#include <fftw3.h>

typedef struct {
    float *re, *im;
} Spectra; /* one partition after another, planes apart, so that the products vectorise */

static Spectra spectra(size_t count) {
    Spectra s = {fftwf_malloc(count * sizeof(float)), fftwf_malloc(count * sizeof(float))};
    memset(s.re, 0, count * sizeof(float));
    memset(s.im, 0, count * sizeof(float));
    return s;
}

static void split(const fftwf_complex *from, float *re, float *im, int bins) {
    for (int i = 0; i < bins; i++) re[i] = from[i][0], im[i] = from[i][1];
}

static void multiply_add(const float *restrict xr, const float *restrict xi, const float *restrict hr,
                         const float *restrict hi, float *restrict yr, float *restrict yi, int bins) {
    for (int i = 0; i < bins; i++) {
        yr[i] += xr[i] * hr[i] - xi[i] * hi[i];
        yi[i] += xr[i] * hi[i] + xi[i] * hr[i];
    }
}

int main(int count, char **values) {
    Args a = args(count, values, 1 << 16);
    int P = a.block;
    Wav source = wav_open(a.inputs, "src.wav", a.frames), response = wav_open(a.inputs, "ir.wav", 1);
    flush_denormals();
    int bins = P + 1, stride = (bins + 15) & ~15, partitions = (response.frames + P - 1) / P;
    float *t = fftwf_malloc(2 * P * sizeof(float)), *yr = fftwf_malloc(stride * sizeof(float));
    float *yi = fftwf_malloc(stride * sizeof(float)), *mix = malloc(2 * P * sizeof(float));
    fftwf_complex *s = fftwf_malloc(stride * sizeof(fftwf_complex));
    fftwf_plan forward = fftwf_plan_dft_r2c_1d(2 * P, t, s, FFTW_ESTIMATE);
    fftwf_plan inverse = fftwf_plan_dft_c2r_1d(2 * P, s, t, FFTW_ESTIMATE);
    Spectra H[2], X[2];
    float *history[2];
    for (int c = 0; c < 2; c++) {
        H[c] = spectra((size_t)partitions * stride);
        X[c] = spectra((size_t)partitions * stride);
        history[c] = calloc(P, sizeof(float));
        for (int k = 0; k < partitions; k++) {
            memset(t, 0, 2 * P * sizeof(float));
            for (int i = 0; i < P && (long)k * P + i < response.frames; i++)
                t[i] = response.samples[2 * ((long)k * P + i) + c] / (2.0f * P);
            fftwf_execute(forward);
            split(s, H[c].re + (size_t)k * stride, H[c].im + (size_t)k * stride, bins);
        }
    }
    FILE *out = out_open(a.out, a.frames);
    int now = 0;
    for (long o = 0; o < a.frames; o += P) {
        int n = a.frames - o < P ? a.frames - o : P;
        for (int c = 0; c < 2; c++) {
            memcpy(t, history[c], P * sizeof(float));
            for (int i = 0; i < n; i++) t[P + i] = source.samples[2 * (o + i) + c];
            for (int i = n; i < P; i++) t[P + i] = 0;
            memcpy(history[c], t + P, P * sizeof(float));
            fftwf_execute(forward);
            split(s, X[c].re + (size_t)now * stride, X[c].im + (size_t)now * stride, bins);
            memset(yr, 0, stride * sizeof(float));
            memset(yi, 0, stride * sizeof(float));
            for (int k = 0; k < partitions; k++) {
                size_t x = (size_t)((now - k + partitions) % partitions) * stride, h = (size_t)k * stride;
                multiply_add(X[c].re + x, X[c].im + x, H[c].re + h, H[c].im + h, yr, yi, bins);
            }
            for (int i = 0; i < bins; i++) s[i][0] = yr[i], s[i][1] = yi[i];
            fftwf_execute(inverse);
            for (int i = 0; i < n; i++) mix[2 * i + c] = t[P + i];
        }
        now = (now + 1) % partitions;
        fwrite(mix, 8, n, out);
    }
    return out_close(out, a.out);
}
