/* The part of the published VST3 interface that the test plugin speaks, in our own declarations.
 *
 * Every object begins with the address of its table of functions; every table begins with the three of FUnknown.
 */
#pragma once
#include <stdint.h>

typedef int32_t result;
typedef int16_t text128[128];
enum { OK = 0, NO = 1, INVALID = 2, NOT_IMPLEMENTED = 3, NO_INTERFACE = -1 };
enum { AUDIO = 0, EVENT = 1, IN = 0, OUT = 1, MAIN = 0, AUX = 1, DEFAULT_ACTIVE = 1 };
enum { NOTE_ON = 0, NOTE_OFF = 1, PRESSURE = 3 };
enum { CAN_AUTOMATE = 1, READ_ONLY = 2, LIST = 8, HIDDEN = 16, IS_PROGRAM = 1 << 15, IS_BYPASS = 1 << 16 };
enum { RELOAD = 1, IO_CHANGED = 2, VALUES_CHANGED = 4, LATENCY_CHANGED = 8, TITLES_CHANGED = 16 };
#define PLAYING (1u << 1)

typedef struct { char vendor[64], url[256], email[128]; int32_t flags; } factory_info;
typedef struct { uint8_t cid[16]; int32_t cardinality; char category[32], name[64]; } class_info;
typedef struct {
    class_info first;
    uint32_t flags;
    char subcategories[128], vendor[64], version[64], sdk[64];
} class_info_2;
typedef struct { int32_t media, direction, channels; text128 name; int32_t type; uint32_t flags; } bus_info;
typedef struct {
    uint32_t id;
    text128 title, short_title, units;
    int32_t steps;
    double initial;
    int32_t unit, flags;
} param_info;
typedef struct { int32_t mode, size, most; double rate; } process_setup;
typedef struct { int32_t channels; uint64_t silence; float **buffers; } bus_buffers;
typedef struct {
    uint32_t state;
    double rate;
    int64_t position, system, continuous;
    double quarters, bar, cycle_start, cycle_end, tempo;
    int32_t numerator, denominator, chord, smpte;
    uint32_t fps, fps_flags;
    int32_t clock;
} process_context;
typedef struct {
    int32_t bus, frame;
    double quarters;
    uint16_t flags, type;
    union {
        struct { int16_t channel, pitch; float tuning, velocity; int32_t length, id; } on;
        struct { int16_t channel, pitch; float velocity; int32_t id; float tuning; } off;
        struct { int16_t channel, pitch; float pressure; int32_t id; } pressure;
        struct { uint64_t a, b, c; } whole;
    } as;
} event;

typedef struct unknown unknown;
typedef struct { result (*query)(void *, const uint8_t *, void **); uint32_t (*add)(void *), (*release)(void *); } unknown_table;
struct unknown { const unknown_table *table; };

typedef struct queue queue;
typedef struct {
    unknown_table first;
    uint32_t (*id)(queue *);
    int32_t (*count)(queue *);
    result (*get)(queue *, int32_t, int32_t *, double *);
    result (*add)(queue *, int32_t, double, int32_t *);
} queue_table;
struct queue { const queue_table *table; };

typedef struct changes changes;
typedef struct {
    unknown_table first;
    int32_t (*count)(changes *);
    queue *(*get)(changes *, int32_t);
    queue *(*add)(changes *, const uint32_t *, int32_t *);
} changes_table;
struct changes { const changes_table *table; };

typedef struct events events;
typedef struct {
    unknown_table first;
    int32_t (*count)(events *);
    result (*get)(events *, int32_t, event *);
    result (*add)(events *, event *);
} events_table;
struct events { const events_table *table; };

typedef struct stream stream;
typedef struct {
    unknown_table first;
    result (*read)(stream *, void *, int32_t, int32_t *);
    result (*write)(stream *, void *, int32_t, int32_t *);
    result (*seek)(stream *, int64_t, int32_t, int64_t *);
    result (*tell)(stream *, int64_t *);
} stream_table;
struct stream { const stream_table *table; };

typedef struct handler handler;
typedef struct {
    unknown_table first;
    result (*begin)(handler *, uint32_t);
    result (*perform)(handler *, uint32_t, double);
    result (*end)(handler *, uint32_t);
    result (*restart)(handler *, int32_t);
} handler_table;
struct handler { const handler_table *table; };

typedef struct host host;
typedef struct {
    unknown_table first;
    result (*name)(host *, int16_t *);
    result (*create)(host *, const uint8_t *, const uint8_t *, void **);
} host_table;
struct host { const host_table *table; };

typedef struct attributes attributes;
typedef struct {
    unknown_table first;
    result (*set_int)(attributes *, const char *, int64_t);
    result (*get_int)(attributes *, const char *, int64_t *);
    result (*set_float)(attributes *, const char *, double);
    result (*get_float)(attributes *, const char *, double *);
    result (*set_text)(attributes *, const char *, const int16_t *);
    result (*get_text)(attributes *, const char *, int16_t *, uint32_t);
    result (*set_bytes)(attributes *, const char *, const void *, uint32_t);
    result (*get_bytes)(attributes *, const char *, const void **, uint32_t *);
} attributes_table;
struct attributes { const attributes_table *table; };

typedef struct message message;
typedef struct {
    unknown_table first;
    const char *(*id)(message *);
    void (*set_id)(message *, const char *);
    attributes *(*attributes)(message *);
} message_table;
struct message { const message_table *table; };

typedef struct connection connection;
typedef struct {
    unknown_table first;
    result (*connect)(connection *, connection *);
    result (*disconnect)(connection *, connection *);
    result (*notify)(connection *, message *);
} connection_table;
struct connection { const connection_table *table; };

typedef struct { int32_t left, top, right, bottom; } rect;
typedef struct { int32_t id, parent; text128 name; int32_t list; } unit_info;
typedef struct { int32_t id; text128 name; int32_t count; } list_info;

typedef struct timer timer;
typedef struct { unknown_table first; void (*due)(timer *); } timer_table;
struct timer { const timer_table *table; };

typedef struct run_loop run_loop;
typedef struct {
    unknown_table first;
    result (*add_file)(run_loop *, void *, int32_t);
    result (*remove_file)(run_loop *, void *);
    result (*add_timer)(run_loop *, timer *, uint64_t);
    result (*remove_timer)(run_loop *, timer *);
} run_loop_table;
struct run_loop { const run_loop_table *table; };

typedef struct {
    int32_t mode, size, frames, inputs, outputs;
    bus_buffers *in, *out;
    changes *in_changes, *out_changes;
    events *in_events, *out_events;
    process_context *context;
} process_data;

#define IID(a, b, c, d)                                                                                               \
    { (uint8_t)((a) >> 24), (uint8_t)((a) >> 16), (uint8_t)((a) >> 8), (uint8_t)(a),                                  \
      (uint8_t)((b) >> 24), (uint8_t)((b) >> 16), (uint8_t)((b) >> 8), (uint8_t)(b),                                  \
      (uint8_t)((c) >> 24), (uint8_t)((c) >> 16), (uint8_t)((c) >> 8), (uint8_t)(c),                                  \
      (uint8_t)((d) >> 24), (uint8_t)((d) >> 16), (uint8_t)((d) >> 8), (uint8_t)(d) }
static const uint8_t FUNKNOWN[16] = IID(0, 0, 0xC0000000u, 0x46u);
static const uint8_t IPLUGIN_BASE[16] = IID(0x22888DDBu, 0x156E45AEu, 0x8358B348u, 0x08190625u);
static const uint8_t IFACTORY[16] = IID(0x7A4D811Cu, 0x52114A1Fu, 0xAED9D2EEu, 0x0B43BF9Fu);
static const uint8_t IFACTORY_2[16] = IID(0x0007B650u, 0xF24B4C0Bu, 0xA464EDB9u, 0xF00B2ABBu);
static const uint8_t ICOMPONENT[16] = IID(0xE831FF31u, 0xF2D54301u, 0x928EBBEEu, 0x25697802u);
static const uint8_t IPROCESSOR[16] = IID(0x42043F99u, 0xB7DA453Cu, 0xA569E79Du, 0x9AAEC33Du);
static const uint8_t ICONTROLLER[16] = IID(0xDCD7BBE3u, 0x7742448Du, 0xA874AACCu, 0x979C759Eu);
static const uint8_t ICONNECTION[16] = IID(0x70A4156Fu, 0x6E6E4026u, 0x989148BFu, 0xAA60D8D1u);
static const uint8_t IMIDI_MAPPING[16] = IID(0xDF0FF9F7u, 0x49B74669u, 0xB63AB732u, 0x7ADBF5E5u);
static const uint8_t IMESSAGE[16] = IID(0x936F033Bu, 0xC6C047DBu, 0xBB0882F8u, 0x13C1E613u);
static const uint8_t IHOST[16] = IID(0x58E595CCu, 0xDB2D4969u, 0x8B6AAF8Cu, 0x36A664E5u);
static const uint8_t IUNITS[16] = IID(0x3D4BD6B5u, 0x913A4FD2u, 0xA886E768u, 0xA5EB92C1u);
static const uint8_t IVIEW[16] = IID(0x5BC32507u, 0xD06049EAu, 0xA6151B52u, 0x2B755B29u);
static const uint8_t IRUN_LOOP[16] = IID(0x18C35366u, 0x97764F1Au, 0x9C5B8385u, 0x7A871389u);
static const uint8_t ITIMER[16] = IID(0x10BDD94Fu, 0x41424774u, 0x821FAD8Fu, 0xECA72CA9u);
