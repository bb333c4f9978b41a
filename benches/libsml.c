/* How long libsml takes for a file of SML transmissions held in memory: prints entries and seconds, best of the rounds.
 * cc -O2 -o libsml benches/libsml.c -lsml (Debian: libsml-dev) */
#define _GNU_SOURCE
#include <sml/sml_file.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const unsigned char BEGIN[8] = {0x1b, 0x1b, 0x1b, 0x1b, 1, 1, 1, 1};

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

/* Entries of the lists of one transmission, its eight bytes of start and of end taken off, as sml_transport_read leaves it to the caller. */
static size_t entries(unsigned char *bytes, size_t count) {
    size_t found = 0;
    sml_file *file = sml_file_parse(bytes + 8, count - 16);
    for (int i = 0; file && i < file->messages_len; i++) {
        sml_message_body *body = file->messages[i]->message_body;
        if (*body->tag != SML_MESSAGE_GET_LIST_RESPONSE)
            continue;
        for (sml_list *list = ((sml_get_list_response *)body->data)->val_list; list; list = list->next)
            found++;
    }
    if (file)
        sml_file_free(file);
    return found;
}

int main(int argc, char **argv) {
    FILE *input = argc == 3 ? fopen(argv[1], "rb") : NULL;
    if (!input)
        return 1;
    fseek(input, 0, SEEK_END);
    size_t count = ftell(input);
    rewind(input);
    unsigned char *corpus = malloc(count);
    if (!corpus || fread(corpus, 1, count, input) != count)
        return 1;
    double best = 1e9;
    size_t found = 0;
    for (int round = atoi(argv[2]); round > 0; round--) {
        double start = now();
        found = 0;
        for (size_t at = 0; at + 16 < count;) {
            unsigned char *next = memmem(corpus + at + 8, count - at - 8, BEGIN, sizeof BEGIN);
            size_t end = next ? (size_t)(next - corpus) : count;
            found += entries(corpus + at, end - at);
            at = end;
        }
        double took = now() - start;
        if (took < best)
            best = took;
    }
    printf("%zu %.6f\n", found, best);
    return 0;
}
