/* A small VST3 plugin whose every sample can be foretold, and, by macros, its evil siblings.
 *
 * What it computes, for each frame of main channel c (after DELAY frames of latency):
 *     out[c] = gain * in[c]  +  (mode is key)  sidechain  +  sum of velocity * pitch / 128 over the notes held
 * In mode clock, out[0] is tempo / 1000, out[1] the frame of the timeline / 65536, and other channels are silent while
 * the transport stands still, 1 while it runs. The second output has the sidechain on both channels, unchanged.
 * Controller 1 moves the gain; the meter says the peak of the last block. With SINES each note is a sine voice instead:
 *     velocity / 4 * sin(2 pi f t),  f = 440 * 2^((pitch - 69) / 12),  t from the note's own frame on.
 *
 * Macros: NAME, NUMBER (last byte of the class id), DELAY, INSTRUMENT, SINES, SINGLE (one bus a side), SPLIT (controller apart), EDITS (it moves its
 * own gain as a window would) and, for evil: FACTORY_CRASHES, SLEEPS (seconds, while it loads), HOG (megabytes, while it
 * processes), CRASHES, HANGS, NO_NUMBERS, MANY_CHANNELS, MONO_AFTER_ALL, MOVES (its latency), NO_STATE (1: takes none,
 * 2: gives none, 3: gives without end), LIES, RAGGED, FAILS, UNWILLING (to be active), MANY_CLASSES,
 * NO_ENTRY, NO_FACTORY, ABSURD_LATENCY. ASKS is what it asks of the host (flags of restartComponent), once: its gain is a
 * quarter then, and called Drive, and with IO_CHANGED it has lost its second buses. UNITS gives it units, one in another
 * (2: round in a circle), and a list of programs, of which one sets the gain. WINDOW gives it a window, empty, in which one picks a sample: the first
 * byte of the file that PATCHWRIGHT_TEST_PICK names, which becomes part of its state without a word, and is removed. Evil in `process` waits for the
 * param `evil`, or for block AT.
 */
#include "vst3.h"
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef NAME
#define NAME "Foretold"
#endif
#ifndef NUMBER
#define NUMBER 1
#endif
#ifndef DELAY
#define DELAY 0
#endif
#ifndef AT
#define AT 0
#endif
#ifndef NO_STATE
#define NO_STATE 0
#endif
#define MOST_CHANNELS 12
#define MOST_DELAY 8192
#ifdef UNITS
enum { GAIN = 100, MODE = 7, METER = 300, EVIL = 666, PROGRAM = 900, PARAMS = 5, PROGRAMS = 3 };
#else
enum { GAIN = 100, MODE = 7, METER = 300, EVIL = 666, PROGRAM = 900, PARAMS = 4 };
#endif
enum { MODE_PLAIN, MODE_KEY, MODE_CLOCK };
static const uint32_t IDS[] = {GAIN, MODE, METER, EVIL, PROGRAM};
static const uint8_t CLASS[16] = {'P', 'a', 't', 'c', 'h', 'w', 'r', 'i', 'g', 'h', 't', ' ', 'c', 'o', 'm', NUMBER};
static const uint8_t CONTROLLER_CLASS[16] = {'P', 'a', 't', 'c', 'h', 'w', 'r', 'i', 'g', 'h', 't', ' ', 'c', 't', 'l', NUMBER};

typedef struct plugin plugin;
typedef struct { const void *table; plugin *self; } face;
struct plugin {
    face component, processor, controller, connection, mapping, units;
    int controls;
    uint32_t references;
    double values[PARAMS];
    handler *edits;
    host *host;
    connection *other;
    uint64_t layout[2][2];
    uint8_t on[2][2];
    int active, blocks, latency;
    float held[128];
    long age[128];
    double rate;
    int holds;
    float line[MOST_CHANNELS][MOST_DELAY];
    int at;
    double pick;
};
static int asked;

#define SELF ((plugin *)((face *)this)->self)
static int same(const uint8_t *a, const uint8_t *b) { return memcmp(a, b, 16) == 0; }
static void write_text(int16_t *out, const char *text) {
    int k = 0;
    for (; text[k] && k < 127; k++) out[k] = (int16_t)text[k];
    out[k] = 0;
}
static int place_of(uint32_t id) {
    for (int k = 0; k < PARAMS; k++) if (IDS[k] == id) return k;
    return -1;
}
static int bits(uint64_t layout) { return __builtin_popcountll(layout); }

static result query(void *this, const uint8_t *id, void **out) {
    plugin *p = SELF;
    face *found = NULL;
    int split = 0;
#ifdef SPLIT
    split = 1;
#endif
    if (same(id, FUNKNOWN) || same(id, IPLUGIN_BASE)) found = p->controls ? &p->controller : &p->component;
    else if (same(id, ICONNECTION) && split) found = &p->connection;
    else if (!p->controls && same(id, ICOMPONENT)) found = &p->component;
    else if (!p->controls && same(id, IPROCESSOR)) found = &p->processor;
    else if ((p->controls || !split) && same(id, ICONTROLLER)) found = &p->controller;
    else if ((p->controls || !split) && same(id, IMIDI_MAPPING)) found = &p->mapping;
#ifdef UNITS
    else if ((p->controls || !split) && same(id, IUNITS)) found = &p->units;
#endif
    *out = found;
    if (!found) return NO_INTERFACE;
    p->references++;
    return OK;
}
static uint32_t add(void *this) { return ++SELF->references; }
static uint32_t let_go(void *this) {
    plugin *p = SELF;
    uint32_t left = --p->references;
    if (!left) free(p);
    return left;
}

static void send(plugin *p) {
    message *m = NULL;
    if (!p->host || !p->other || p->host->table->create(p->host, IMESSAGE, IMESSAGE, (void **)&m) != OK) return;
    attributes *a = m->table->attributes(m);
    const void *raw;
    uint32_t size;
    int64_t whole = 0;
    double part = 0;
    int16_t text[8], word[] = {'k', 'e', 'y', 0};
    m->table->set_id(m, "gain");
    a->table->set_int(a, "int", 41);
    a->table->set_float(a, "gain", 0.75);
    a->table->set_text(a, "text", word);
    a->table->set_bytes(a, "bytes", "\1\2\3", 3);
    int right = a->table->get_int(a, "int", &whole) == OK && whole == 41 && a->table->get_float(a, "gain", &part) == OK &&
                part == 0.75 && a->table->get_text(a, "text", text, sizeof text) == OK && text[2] == 'y' && !text[3] &&
                a->table->get_bytes(a, "bytes", &raw, &size) == OK && size == 3 && ((const uint8_t *)raw)[2] == 3 &&
                a->table->get_int(a, "none", &whole) != OK && strcmp(m->table->id(m), "gain") == 0;
    if (right) p->other->table->notify(p->other, m);
    m->table->first.release(m);
}

static result initialize(void *this, unknown *context) {
    plugin *p = SELF;
    if (context && context->table->query(context, IHOST, (void **)&p->host) != OK) p->host = NULL;
#ifdef SLEEPS
    sleep(SLEEPS);
#endif
    return OK;
}
static result terminate(void *this) {
    plugin *p = SELF;
    if (p->host) ((unknown *)p->host)->table->release(p->host);
    p->host = NULL;
    return OK;
}

/* IComponent */
static result controller_class(void *this, uint8_t *out) {
#ifdef SPLIT
    memcpy(out, CONTROLLER_CLASS, 16);
    return OK;
#else
    (void)CONTROLLER_CLASS;
    return NOT_IMPLEMENTED;
#endif
}
static result io_mode(void *this, int32_t mode) { return NOT_IMPLEMENTED; }
static int32_t bus_count(void *this, int32_t media, int32_t direction) {
#ifdef LIES
    if (media == AUDIO) return LIES;
#endif
    if (media == EVENT) return direction == IN;
#ifdef INSTRUMENT
    if (direction == IN) return 0;
#endif
#ifdef SINGLE
    return 1;
#endif
#ifdef ASKS
    if (asked && (ASKS & IO_CHANGED)) return 1;
#endif
    return 2;
}
static result get_bus(void *this, int32_t media, int32_t direction, int32_t index, bus_info *info) {
    if (index < 0 || index >= bus_count(this, media, direction)) return INVALID;
    memset(info, 0, sizeof *info);
    info->media = media;
    info->direction = direction;
    info->channels = media == EVENT ? 16 : bits(SELF->layout[direction][index & 1]);
    info->type = index ? AUX : MAIN;
    info->flags = index ? 0 : DEFAULT_ACTIVE;
    write_text(info->name, media == EVENT ? "Notes" : direction == IN ? (index ? "Key" : "In") : (index ? "Second" : "Out"));
#ifdef MANY_CHANNELS
    info->channels = MANY_CHANNELS;
#endif
#ifdef RAGGED
    for (int k = 0; k < 128; k++) info->name[k] = (int16_t)0xD83D;
#endif
    return OK;
}
static result routing(void *this, void *a, void *b) { return NOT_IMPLEMENTED; }
static result activate_bus(void *this, int32_t media, int32_t direction, int32_t index, uint8_t on) {
    if (media == AUDIO && index >= 0 && index < 2) SELF->on[direction][index] = on;
    return OK;
}
static result set_active(void *this, uint8_t on) {
    plugin *p = SELF;
    p->active = on;
    if (on) {
        memset(p->line, 0, sizeof p->line);
        memset(p->held, 0, sizeof p->held);
    }
#ifdef UNWILLING
    return NO;
#endif
    return OK;
}
static result set_state(void *this, stream *s) {
    plugin *p = SELF;
    double read[4];
    int32_t size = 0, whole = sizeof read - sizeof *read;
#ifdef WINDOW
    whole = sizeof read;
#endif
    if (NO_STATE == 1) {
        p->values[0] = 0.123;
        return NO;
    }
    if (s->table->read(s, read, whole, &size) != OK || size != whole || read[0] != 1234.5) return NO;
    p->values[0] = read[1];
    p->values[1] = read[2];
    if (size == sizeof read) p->pick = read[3];
    return OK;
}
static result get_state(void *this, stream *s) {
    plugin *p = SELF;
    double written[4] = {1234.5, p->values[0], p->values[1], p->pick};
    int32_t whole = sizeof written - sizeof *written;
#ifdef WINDOW
    whole = sizeof written;
#endif
    if (NO_STATE == 2) return NO;
    static char megabyte[1 << 20];
    while (NO_STATE == 3)
        if (s->table->write(s, megabyte, sizeof megabyte, NULL) != OK) return NO;
    return s->table->write(s, written, whole, NULL);
}

/* IAudioProcessor */
static result arrange(void *this, uint64_t *in, int32_t ins, uint64_t *out, int32_t outs) {
    plugin *p = SELF;
#ifdef MONO_AFTER_ALL
    p->layout[IN][0] = p->layout[OUT][0] = 1u << 19;
    return OK;
#endif
#ifdef SINGLE
    if (outs != 1 || bits(out[0]) > MOST_CHANNELS) return NO;
    p->layout[IN][0] = p->layout[OUT][0] = out[0];
#elif defined INSTRUMENT
    if (ins != 0 || outs != 2 || bits(out[0]) > MOST_CHANNELS || out[1] != 3) return NO;
    p->layout[OUT][0] = out[0];
#else
    if (ins != bus_count(this, AUDIO, IN) || outs != ins || in[0] != out[0] || bits(in[0]) > MOST_CHANNELS) return NO;
    if (ins == 2 && (in[1] != 1u << 19 || out[1] != 3)) return NO;
    p->layout[IN][0] = p->layout[OUT][0] = in[0];
#endif
    return OK;
}
static result get_arrangement(void *this, int32_t direction, int32_t index, uint64_t *out) {
    if (index < 0 || index > 1) return INVALID;
    *out = SELF->layout[direction][index];
    return OK;
}
static result sample_size(void *this, int32_t size) { return size == 0 ? OK : NO; }
static uint32_t get_latency(void *this) {
#ifdef ABSURD_LATENCY
    return ABSURD_LATENCY;
#endif
    return (uint32_t)SELF->latency;
}
static result setup(void *this, process_setup *s) {
    SELF->rate = s->rate;
    return s->mode == 0 && s->size == 0 ? OK : NO;
}
static result set_processing(void *this, uint8_t on) { return NOT_IMPLEMENTED; }
static uint32_t get_tail(void *this) { return 77; }

static double step(plugin *p, process_data *d, int place, int frame) {
    int32_t queues = d->in_changes ? d->in_changes->table->count(d->in_changes) : 0;
    for (int32_t q = 0; q < queues; q++) {
        queue *one = d->in_changes->table->get(d->in_changes, q);
        if (!one || place_of(one->table->id(one)) != place) continue;
        for (int32_t k = 0; k < one->table->count(one); k++) {
            int32_t offset;
            double value;
            if (one->table->get(one, k, &offset, &value) == OK && offset == frame) p->values[place] = value;
        }
    }
    return p->values[place];
}
static void play(plugin *p, process_data *d, int frame) {
    int32_t count = d->in_events ? d->in_events->table->count(d->in_events) : 0;
    for (int32_t k = 0; k < count; k++) {
        event e;
        if (d->in_events->table->get(d->in_events, k, &e) != OK || e.frame != frame) continue;
        p->holds = 1;
        if (e.type == NOTE_ON) p->held[e.as.on.pitch & 127] = e.as.on.velocity * (float)(e.as.on.pitch / 128.0);
        if (e.type == NOTE_ON) p->age[e.as.on.pitch & 127] = 0;
        if (e.type == NOTE_OFF) p->held[e.as.off.pitch & 127] = 0;
        if (e.type == PRESSURE) p->held[e.as.pressure.pitch & 127] = e.as.pressure.pressure;
    }
}
static void evil(plugin *p, process_data *d) {
    (void)d;
#ifdef CRASHES
    raise(SIGSEGV);
#endif
#ifdef HANGS
    for (volatile int k = 0;; k++) k = 0;
#endif
#ifdef HOG
    static char *volatile kept;
    for (long left = HOG; left > 0; left--) {
        kept = malloc(1 << 20);
        for (int k = 0; kept && k < 1 << 20; k += 1024) ((volatile char *)kept)[k] = 1;
    }
#endif
#ifdef MOVES
    p->latency = p->latency == DELAY ? MOVES : DELAY;
    if (p->edits) p->edits->table->restart(p->edits, LATENCY_CHANGED);
#endif
#ifdef ASKS
    if (p->edits && !asked++) {
        p->values[0] = 0.25;
        p->edits->table->restart(p->edits, ASKS);
    }
#endif
#ifdef EDITS
    if (p->edits) {
        p->edits->table->begin(p->edits, GAIN);
        p->edits->table->perform(p->edits, GAIN, 0.25);
        p->edits->table->end(p->edits, GAIN);
    }
#endif
#ifdef NO_NUMBERS
    static const float wrong[4] = {NAN, INFINITY, -INFINITY, 1e-40f};
    for (int c = 0; c < d->out[0].channels; c++)
        for (int k = 0; k < d->frames; k++) d->out[0].buffers[c][k] = wrong[k & 3];
#endif
    (void)p;
}
static result process(void *this, process_data *d) {
    plugin *p = SELF;
    int channels = d->outputs > 0 ? d->out[0].channels : 0;
    float peak = 0;
    int now = 0;
    for (int k = 0; k < d->frames || (k == 0 && d->frames == 0); k++) {
        double gain = step(p, d, 0, k);
        int mode = (int)(step(p, d, 1, k) * 2 + 0.5);
        float notes = 0;
        now |= step(p, d, 3, k) >= 0.5;
        if (k == d->frames) break;
        play(p, d, k);
        for (int n = 0; p->holds && n < 128; n++) {
#ifdef SINES
            if (p->held[n] == 0) continue;
            double velocity = p->held[n] * 128.0 / n, f = 440 * pow(2, (n - 69) / 12.0);
            notes += (float)(velocity / 4 * sin(2 * M_PI * f * p->age[n]++ / p->rate));
#else
            notes += p->held[n];
#endif
        }
        float key = d->inputs > 1 && p->on[IN][1] ? d->in[1].buffers[0][k] : 0;
        for (int c = 0; c < channels && c < MOST_CHANNELS; c++) {
            float sample = d->inputs > 0 ? (float)gain * d->in[0].buffers[c][k] : 0;
            if (mode == MODE_KEY) sample += key;
            if (mode == MODE_CLOCK) {
                process_context *t = d->context;
                sample = c == 0 ? (float)(t->tempo / 1000) : c == 1 ? (float)((t->position + k) / 65536.0) : !!(t->state & PLAYING);
            }
            sample += notes;
            int late = (p->at + MOST_DELAY - p->latency) % MOST_DELAY;
            p->line[c][p->at] = sample;
            d->out[0].buffers[c][k] = p->line[c][late];
            peak = fmaxf(peak, fabsf(d->out[0].buffers[c][k]));
        }
        p->at = (p->at + 1) % MOST_DELAY;
        for (int c = 0; d->outputs > 1 && p->on[OUT][1] && c < d->out[1].channels; c++) d->out[1].buffers[c][k] = key;
#ifdef MANY_CHANNELS
        for (int c = channels; c < channels + 8; c++) d->out[0].buffers[c][k] = 1;
#endif
    }
    if (d->frames > 0 && d->out_changes) {
        uint32_t id = METER;
        int32_t index;
        queue *q = d->out_changes->table->add(d->out_changes, &id, &index);
        if (q) q->table->add(q, 0, peak > 1 ? 1 : peak, &index);
    }
    p->blocks++;
    if (now || (AT && p->blocks >= AT)) evil(p, d);
#ifdef FAILS
    return NO;
#endif
    return OK;
}

/* IEditController */
static result component_state(void *this, stream *s) { return set_state(this, s); }
static result c_set_state(void *this, stream *s) { return OK; }
static result c_get_state(void *this, stream *s) { return NOT_IMPLEMENTED; }
static int32_t param_count(void *this) {
#ifdef LIES
    return LIES;
#endif
#ifdef RAGGED
    return PARAMS + 2;
#endif
    return PARAMS;
}
static result get_param(void *this, int32_t index, param_info *info) {
    static const char *titles[] = {"Gain", "Mode", "Meter", "Evil", "Program"};
    memset(info, 0, sizeof *info);
#ifdef RAGGED
    index = index >= PARAMS ? 0 : index;
#endif
    if (index < 0 || index >= PARAMS) return INVALID;
    info->id = IDS[index];
    write_text(info->title, index == 0 && asked ? "Drive" : titles[index]);
    write_text(info->units, index == 0 ? "x" : "");
    info->steps = index == 1 ? 2 : index == 3 ? 1 : 0;
    info->initial = index == 0 ? 1.0 : 0.0;
    info->flags = index == 2 ? READ_ONLY : index == 3 ? HIDDEN : CAN_AUTOMATE;
#ifdef UNITS
    info->unit = index == 0 || index == 4 ? 1 : index == 1 ? 2 : 0;
    if (index == 4) info->steps = PROGRAMS - 1, info->flags = IS_PROGRAM;
#endif
#ifdef RAGGED
    for (int k = 0; k < 128; k++) info->title[k] = info->units[k] = (int16_t)(k & 1 ? 0xDC00 : 'x');
    info->steps = -5;
    info->initial = NAN;
#endif
    return OK;
}
static result param_text(void *this, uint32_t id, double value, int16_t *out) {
    static const char *modes[3] = {"Plain", "Key", "Clock"};
    char text[8] = "0.00";
#ifdef RAGGED
    for (int k = 0; k < 128; k++) out[k] = 'y';
    return OK;
#endif
    if (id == MODE) write_text(out, modes[(int)(value * 2 + 0.5) % 3]);
    else {
        int hundredths = (int)(value * 100 + 0.5);
        text[0] = (char)('0' + hundredths / 100);
        text[2] = (char)('0' + hundredths / 10 % 10);
        text[3] = (char)('0' + hundredths % 10);
        write_text(out, text);
    }
    return OK;
}
static result param_value(void *this, uint32_t id, const int16_t *text, double *out) {
    if (id != MODE) return NO;
    *out = text[0] == 'K' ? 0.5 : text[0] == 'C' ? 1.0 : 0.0;
    return OK;
}
static double plain(void *this, uint32_t id, double value) { return value; }
static double get_value(void *this, uint32_t id) {
    int place = place_of(id);
#ifdef RAGGED
    return NAN;
#endif
    return place < 0 ? 0 : SELF->values[place];
}
static result set_value(void *this, uint32_t id, double value) {
    int place = place_of(id);
    if (place < 0) return INVALID;
    SELF->values[place] = value;
#ifdef UNITS
    static const double gains[PROGRAMS] = {1.0, 0.25, 0.5};
    if (id == PROGRAM) {
        SELF->values[0] = gains[(int)(value * (PROGRAMS - 1) + 0.5)];
        if (SELF->edits) SELF->edits->table->restart(SELF->edits, VALUES_CHANGED);
    }
#endif
    return OK;
}
static result set_handler(void *this, handler *h) {
    plugin *p = SELF;
    if (h) h->table->first.add(h);
    if (p->edits) p->edits->table->first.release(p->edits);
    p->edits = h;
    return OK;
}

#ifdef WINDOW
/* IPlugView: nothing is drawn; ten times a second it looks for what is picked. */
typedef struct { const void *table; void *view; } clock_face;
typedef struct {
    const void *table;
    uint32_t references;
    clock_face clock;
    plugin *self;
    run_loop *loop;
} view;
static result t_query(void *this, const uint8_t *id, void **out) {
    *out = same(id, FUNKNOWN) || same(id, ITIMER) ? this : NULL;
    return *out ? OK : NO_INTERFACE;
}
static uint32_t t_count(void *this) { return 1; }
static void t_due(void *this) {
    view *v = ((clock_face *)this)->view;
    const char *name = getenv("PATCHWRIGHT_TEST_PICK");
    FILE *file = name ? fopen(name, "rb") : NULL;
    int picked = file ? fgetc(file) : EOF;
    if (file) fclose(file);
    if (picked == EOF) return;
    v->self->pick = picked;
    remove(name);
}
static const void *TIMER_TABLE[] = {t_query, t_count, t_count, t_due};
static result v_query(void *this, const uint8_t *id, void **out) {
    *out = same(id, FUNKNOWN) || same(id, IVIEW) ? this : NULL;
    if (*out) ((view *)this)->references++;
    return *out ? OK : NO_INTERFACE;
}
static uint32_t v_add(void *this) { return ++((view *)this)->references; }
static uint32_t v_release(void *this) {
    uint32_t left = --((view *)this)->references;
    if (!left) free(this);
    return left;
}
static result v_supports(void *this, const char *kind) { return strcmp(kind, "X11EmbedWindowID") == 0 ? OK : NO; }
static result v_attached(void *this, void *parent, const char *kind) { return OK; }
static result v_set_frame(void *this, unknown *frame) {
    view *v = this;
    if (v->loop) {
        v->loop->table->remove_timer(v->loop, (timer *)&v->clock);
        ((unknown *)v->loop)->table->release(v->loop);
        v->loop = NULL;
    }
    if (frame && frame->table->query(frame, IRUN_LOOP, (void **)&v->loop) == OK)
        v->loop->table->add_timer(v->loop, (timer *)&v->clock, 100);
    return OK;
}
static result v_no(void *this) { return NO; }
static result v_yes(void *this) { return OK; }
static result v_size(void *this, rect *out) {
    *out = (rect){0, 0, 320, 200};
    return OK;
}
static const void *VIEW_TABLE[] = {v_query, v_add, v_release, v_supports, v_attached, v_yes, v_no, v_no, v_no, v_size, v_yes,
    v_yes, v_set_frame, v_no, v_no};
static void *create_view(void *this, const char *name) {
    view *v = calloc(1, sizeof *v);
    *v = (view){VIEW_TABLE, 1, {TIMER_TABLE, v}, SELF, NULL};
    return v;
}
#else
static void *create_view(void *this, const char *name) { return NULL; }
#endif

/* IUnitInfo */
#ifdef UNITS
static int32_t unit_count(void *this) { return 3; }
static result unit(void *this, int32_t index, unit_info *out) {
    static const char *names[] = {"Root", "Filter", "Envelope"};
    if (index < 0 || index > 2) return INVALID;
    memset(out, 0, sizeof *out);
    out->id = index;
    out->parent = UNITS == 2 && index == 1 ? 2 : index - 1;
    out->list = index == 1 ? 5 : -1;
    write_text(out->name, names[index]);
    return OK;
}
static int32_t list_count(void *this) { return 1; }
static result list(void *this, int32_t index, list_info *out) {
    if (index != 0) return INVALID;
    memset(out, 0, sizeof *out);
    out->id = 5;
    out->count = PROGRAMS;
    write_text(out->name, "Bank");
    return OK;
}
static result program_name(void *this, int32_t id, int32_t index, int16_t *out) {
    static const char *names[PROGRAMS] = {"Open", "Soft", "Half"};
    if (id != 5 || index < 0 || index >= PROGRAMS) return INVALID;
    write_text(out, names[index]);
    return OK;
}
#endif

/* IConnectionPoint, IMidiMapping */
static result connect_to(void *this, connection *other) {
    SELF->other = other;
    if (!SELF->controls) send(SELF);
    return OK;
}
static result disconnect(void *this, connection *other) {
    SELF->other = NULL;
    return OK;
}
static result notify(void *this, message *m) {
    attributes *a = m->table->attributes(m);
    double value;
    if (strcmp(m->table->id(m), "gain") == 0 && a->table->get_float(a, "gain", &value) == OK) SELF->values[3] = value;
    return OK;
}
static result assignment(void *this, int32_t bus, int16_t channel, int16_t number, uint32_t *id) {
    if (bus != 0 || number != 1) return NO;
    *id = GAIN;
    return OK;
}

static const void *COMPONENT_TABLE[] = {query, add, let_go, initialize, terminate, controller_class, io_mode, bus_count,
    get_bus, routing, activate_bus, set_active, set_state, get_state};
static const void *PROCESSOR_TABLE[] = {query, add, let_go, arrange, get_arrangement, sample_size, get_latency, setup,
    set_processing, process, get_tail};
static const void *CONTROLLER_TABLE[] = {query, add, let_go, initialize, terminate, component_state, c_set_state,
    c_get_state, param_count, get_param, param_text, param_value, plain, plain, get_value, set_value, set_handler, create_view};
static const void *CONNECTION_TABLE[] = {query, add, let_go, connect_to, disconnect, notify};
static const void *MAPPING_TABLE[] = {query, add, let_go, assignment};
#ifdef UNITS
static const void *UNITS_TABLE[] = {query, add, let_go, unit_count, unit, list_count, list, program_name};
#endif

static plugin *create(int controls) {
    plugin *p = calloc(1, sizeof *p);
    p->controls = controls;
    p->references = 1;
    p->component = (face){COMPONENT_TABLE, p};
    p->processor = (face){PROCESSOR_TABLE, p};
    p->controller = (face){CONTROLLER_TABLE, p};
    p->connection = (face){CONNECTION_TABLE, p};
    p->mapping = (face){MAPPING_TABLE, p};
#ifdef UNITS
    p->units = (face){UNITS_TABLE, p};
#endif
    p->values[0] = 1;
    p->latency = DELAY;
    p->layout[IN][0] = p->layout[OUT][0] = p->layout[OUT][1] = 3;
    p->layout[IN][1] = 1u << 19;
    p->on[IN][0] = p->on[OUT][0] = 1;
    return p;
}

/* The factory */
static result f_query(void *this, const uint8_t *id, void **out) {
    *out = same(id, FUNKNOWN) || same(id, IFACTORY) || same(id, IFACTORY_2) ? this : NULL;
    return *out ? OK : NO_INTERFACE;
}
static uint32_t f_count(void *this) { return 1; }
static result f_info(void *this, factory_info *info) {
    memset(info, 0, sizeof *info);
    strcpy(info->vendor, "Patchwright tests");
    return OK;
}
static int32_t f_classes(void *this) {
#ifdef MANY_CLASSES
    return MANY_CLASSES;
#endif
#ifdef SPLIT
    return 2;
#else
    return 1;
#endif
}
static result f_class(void *this, int32_t index, class_info *info) {
    if (index < 0 || index >= f_classes(this)) return INVALID;
    memset(info, 0, sizeof *info);
    memcpy(info->cid, index ? CONTROLLER_CLASS : CLASS, 16);
    info->cardinality = 0x7FFFFFFF;
    strcpy(info->category, index ? "Component Controller Class" : "Audio Module Class");
    strncpy(info->name, NAME, sizeof info->name);
#ifdef RAGGED
    memset(info->name, 'n', sizeof info->name);
#endif
    return OK;
}
static result f_class_2(void *this, int32_t index, class_info_2 *info) {
    memset(info, 0, sizeof *info);
#ifdef INSTRUMENT
    strcpy(info->subcategories, "Instrument|Synth");
#else
    strcpy(info->subcategories, "Fx|Tools");
#endif
    strcpy(info->vendor, "Patchwright tests");
    strcpy(info->version, "1.2.3");
    strcpy(info->sdk, "VST 3.7");
    return f_class(this, index, &info->first);
}
static result f_create(void *this, const uint8_t *cid, const uint8_t *id, void **out) {
    *out = NULL;
    int controls = same(cid, CONTROLLER_CLASS);
    if (!controls && !same(cid, CLASS)) return INVALID;
    plugin *p = create(controls);
    face *first = controls ? &p->controller : &p->component;
    result found = query(first, id, out);
    let_go(first);
    return found;
}
static const void *FACTORY_TABLE[] = {f_query, f_count, f_count, f_info, f_classes, f_class, f_create, f_class_2};
static struct { const void *table; } FACTORY = {FACTORY_TABLE};

#define PUBLIC __attribute__((visibility("default")))
PUBLIC uint8_t ModuleEntry(void *handle) {
#ifdef NO_ENTRY
    return 0;
#endif
    return 1;
}
PUBLIC uint8_t ModuleExit(void) { return 1; }
PUBLIC void *GetPluginFactory(void) {
#ifdef FACTORY_CRASHES
    raise(SIGSEGV);
#endif
#ifdef NO_FACTORY
    return NULL;
#endif
    return &FACTORY;
}
