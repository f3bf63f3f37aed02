/* What the programs of this folder share: the command line, WAV files, filter coefficients.
 *
 * Every program is called PROGRAM BLOCK SECONDS OUT.wav INPUT_FOLDER [MODE], reads float32 stereo WAV files at 48 kHz
 * by mmap and writes one. REAL is the type of filter coefficients and state: float, or double
 * with -DREAL_IS_DOUBLE=1.
 */
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#if REAL_IS_DOUBLE
#define REAL double
#else
#define REAL float
#endif

#define RATE 48000.0
#define MAX_BLOCK 4096
#define ALIGNED __attribute__((aligned(64)))

static void fail(const char *what, const char *where) {
    fprintf(stderr, "%s: %s\n", where, what);
    exit(1);
}

/* Denormals are zero, as in every host. */
static void flush_denormals(void) {
#if defined(__x86_64__)
    _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
}

/* --- The command line ------------------------------------------------------------------------------------------- */

typedef struct {
    int block;
    long frames;
    const char *out, *inputs, *mode;
} Args;

static Args args(int count, char **values, int largest_block) {
    if (count < 5) fail("expected BLOCK SECONDS OUT.wav INPUT_FOLDER [MODE]", values[0]);
    Args a = {atoi(values[1]), lround(atof(values[2]) * RATE), values[3], values[4], count > 5 ? values[5] : ""};
    if (a.block < 1 || a.block > largest_block) fail("this block size is not supported", values[1]);
    return a;
}

/* --- Files ------------------------------------------------------------------------------------------------------ */

typedef struct {
    const float *samples; /* interleaved */
    long frames;
    int channels;
} Wav;

/* Map a stereo float32 file of at least `frames` frames. */
static Wav wav_open(const char *folder, const char *name, long frames) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_RDONLY);
    struct stat info;
    if (file < 0 || fstat(file, &info) || info.st_size < 12) fail("cannot be read", path);
    unsigned char *bytes = mmap(0, info.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    if (bytes == MAP_FAILED) fail("cannot be mapped", path);
    madvise(bytes, info.st_size, MADV_SEQUENTIAL);
    Wav wav = {0};
    int coding = 0, bits = 0;
    for (size_t at = 12; at + 8 <= (size_t)info.st_size;) {
        uint32_t size;
        memcpy(&size, bytes + at + 4, 4);
        if (!memcmp(bytes + at, "fmt ", 4)) {
            uint16_t field[8];
            memcpy(field, bytes + at + 8, 16);
            coding = field[0], wav.channels = field[1], bits = field[7];
        }
        if (!memcmp(bytes + at, "data", 4)) {
            if (coding != 3 || bits != 32 || wav.channels != 2) fail("expected stereo float32", path);
            wav.samples = (const float *)(bytes + at + 8);
            wav.frames = size / 4 / wav.channels;
            if (wav.frames < frames) fail("too short", path);
            return wav;
        }
        at += 8 + size + (size & 1);
    }
    fail("has no samples", path);
    return wav;
}

/* Begin a stereo float32 file of `frames` frames. */
static FILE *out_open(const char *path, long frames) {
    FILE *file = fopen(path, "wb");
    if (!file) fail("cannot be written", path);
    setvbuf(file, 0, _IOFBF, 1 << 18);
    uint32_t data = frames * 8, riff = 36 + data, fmt = 16, rate = 48000, bytes_per_second = rate * 8;
    uint16_t coding = 3, channels = 2, frame_bytes = 8, bits = 32;
    fwrite("RIFF", 1, 4, file), fwrite(&riff, 4, 1, file), fwrite("WAVEfmt ", 1, 8, file), fwrite(&fmt, 4, 1, file);
    fwrite(&coding, 2, 1, file), fwrite(&channels, 2, 1, file), fwrite(&rate, 4, 1, file);
    fwrite(&bytes_per_second, 4, 1, file), fwrite(&frame_bytes, 2, 1, file), fwrite(&bits, 2, 1, file);
    fwrite("data", 1, 4, file), fwrite(&data, 4, 1, file);
    return file;
}

static int out_close(FILE *file, const char *path) {
    int bad = ferror(file);
    if (fclose(file) || bad) fail("could not be written whole", path);
    return 0;
}

/* --- Filters: the RBJ audio EQ cookbook ------------------------------------------------------------------------- */

typedef struct {
    REAL b0, b1, b2, a1, a2;
} Biquad;

enum { PEAK, LOW_SHELF, HIGH_SHELF };

static Biquad biquad(int type, double hz, double gain_db, double q) {
    double A = pow(10, gain_db / 40), w = 2 * M_PI * hz / RATE, c = cos(w), alpha = sin(w) / (2 * q);
    double s = 2 * sqrt(A) * alpha, b0, b1, b2, a0, a1, a2;
    if (type == PEAK) {
        b0 = 1 + alpha * A, b1 = -2 * c, b2 = 1 - alpha * A;
        a0 = 1 + alpha / A, a1 = -2 * c, a2 = 1 - alpha / A;
    } else if (type == LOW_SHELF) {
        b0 = A * ((A + 1) - (A - 1) * c + s), b1 = 2 * A * ((A - 1) - (A + 1) * c);
        b2 = A * ((A + 1) - (A - 1) * c - s);
        a0 = (A + 1) + (A - 1) * c + s, a1 = -2 * ((A - 1) + (A + 1) * c), a2 = (A + 1) + (A - 1) * c - s;
    } else {
        b0 = A * ((A + 1) + (A - 1) * c + s), b1 = -2 * A * ((A - 1) + (A + 1) * c);
        b2 = A * ((A + 1) + (A - 1) * c - s);
        a0 = (A + 1) - (A - 1) * c + s, a1 = 2 * ((A - 1) - (A + 1) * c), a2 = (A + 1) - (A - 1) * c - s;
    }
    return (Biquad){b0 / a0, b1 / a0, b2 / a0, a1 / a0, a2 / a0};
}
