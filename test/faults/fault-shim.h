#ifndef FAULT_SHIM_H
#define FAULT_SHIM_H
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* The numbers of the control file; fault-shim.ts has the same list. */
enum {
  WRITE_ERROR, ONLY_GROWTH, FSYNC_ERROR, READ_ERROR, OPEN_ERROR, FSYNC_DELAY_MS, CLOCK_OFFSET_MS, FSYNCS_UNDER_WAY, FAULTS_GIVEN,
  NUMBERS
};
#pragma GCC visibility push(hidden)
extern _Atomic int64_t *control;

/* The C library's own function behind one that this library replaces. */
static inline void *real_function(void **known, const char *name) {
  if (*known == NULL) *known = dlsym(RTLD_NEXT, name);
  return *known;
}
#define REAL(name) ({ static void *known; (__typeof__(&name))real_function(&known, #name); })

/* What is recorded of a file. */
enum { RECORD_WRITE = 1, RECORD_TRUNCATE = 2, RECORD_UNLINK = 3 };

/* Names the shadow directory; without that nothing is recorded. */
void shadow_begin(const char *path);
/* The number of a file, from 1, or 0: it is not recorded. `fd` is open on it, or -1. The functions below do nothing for file 0. */
int shadow_file(const char *path, int fd);
void shadow_record(int file, int64_t kind, int64_t offset, const void *data, int64_t length);
/* Makes what is recorded of a file durable. */
void shadow_sync(int file);
/* Forgets what is recorded of a file. */
void shadow_drop(int file);
/* Makes deletions durable that are the last thing recorded of their file. */
void shadow_sync_deletions(void);
/* Held by the caller of all of these, and around the change that is recorded. */
extern pthread_mutex_t shadow_mutex;

/* Ends the process with a message when something of the shim itself does not work. */
void must(int is_done, const char *what);
#pragma GCC visibility pop

#endif
