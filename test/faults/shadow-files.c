/* Keeps, for every watched file, what would survive if the power went now; see fault-shim.c. */
#include "fault-shim.h"

enum { MAX_FILES = 16 };
typedef struct { int64_t kind, offset, length; } record_t;
typedef struct { char name[200]; int pending; } file_t;

pthread_mutex_t shadow_mutex = PTHREAD_MUTEX_INITIALIZER;
static int shadow = -1;
static file_t files[MAX_FILES + 1];
static int file_count;

void must(int is_done, const char *what) {
  if (is_done) return;
  dprintf(2, "fault-shim: %s: %s\n", what, strerror(errno));
  _exit(70);
}

void shadow_begin(const char *path) {
  shadow = REAL(open)(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  must(shadow >= 0, path);
}

static void write_all(int fd, const void *data, size_t length, off_t offset) {
  for (const char *at = data; length > 0;) {
    ssize_t done = offset < 0 ? REAL(write)(fd, at, length) : REAL(pwrite64)(fd, at, length, offset);
    must(done > 0, "write to the shadow");
    at += done;
    length -= done;
    if (offset >= 0) offset += done;
  }
}

static int open_copy(const char *name) {
  int copy = REAL(openat)(shadow, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  must(copy >= 0, "open a shadow file");
  return copy;
}

int shadow_file(const char *path, int fd) {
  const char *name = strrchr(path, '/') + 1;
  size_t length = strlen(name);
  if (shadow < 0 || (length > 4 && strcmp(name + length - 4, "-shm") == 0)) return 0;
  for (int number = 1; number <= file_count; number++) {
    if (strcmp(files[number].name, name) == 0) return number;
  }
  must(file_count < MAX_FILES && length < sizeof files[0].name, "more files or longer names than expected");
  file_t *file = &files[++file_count];
  strcpy(file->name, name);
  char pending[220];
  snprintf(pending, sizeof pending, "%s.pending", name);
  struct stat at;
  int is_known = fstatat(shadow, name, &at, 0) == 0 || fstatat(shadow, pending, &at, 0) == 0;
  if (!is_known && fd >= 0 && fstat(fd, &at) == 0 && at.st_size > 0) {
    // What a file held before it was first seen counts as synced. Read through `fd`: to close another would drop its locks.
    int copy = open_copy(name);
    char block[65536];
    ssize_t count;
    for (off_t from = 0; (count = REAL(pread64)(fd, block, sizeof block, from)) > 0; from += count) {
      write_all(copy, block, count, from);
    }
    REAL(close)(copy);
  }
  file->pending = REAL(openat)(shadow, pending, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  must(file->pending >= 0, "open a record");
  return file_count;
}

void shadow_record(int file, int64_t kind, int64_t offset, const void *data, int64_t length) {
  if (file == 0) return;
  record_t header = { kind, offset, length };
  // In one write, so that a process that is killed leaves no half of a record, or at most a cut one at the end.
  char *entry = malloc(sizeof header + length);
  memcpy(entry, &header, sizeof header);
  if (length > 0) memcpy(entry + sizeof header, data, length);
  write_all(files[file].pending, entry, sizeof header + length, -1);
  free(entry);
}

static char *read_all(int fd, int64_t *length) {
  struct stat at;
  must(fstat(fd, &at) == 0, "look at a record");
  char *all = malloc(at.st_size + 1);
  int64_t got = 0;
  for (ssize_t count; (count = REAL(pread64)(fd, all + got, at.st_size - got, got)) > 0;) got += count;
  *length = got;
  return all;
}

/* The record at `here`, or one of kind 0 at the end; a process may have been killed in the middle of the last one. */
static record_t record_at(const char *here, const char *end) {
  record_t one = { 0, 0, 0 };
  if (end - here < (int64_t)sizeof one) return one;
  memcpy(&one, here, sizeof one);
  if (end - here < (int64_t)sizeof one + one.length) one.kind = 0;
  return one;
}

static void apply(file_t *file, const char *here, const char *end) {
  int copy = -1, is_deleted = 0;
  for (record_t one; (one = record_at(here, end)).kind != 0; here += sizeof one + one.length) {
    is_deleted = one.kind == RECORD_UNLINK;
    if (is_deleted) {
      unlinkat(shadow, file->name, 0);
      if (copy >= 0) REAL(close)(copy);
      copy = -1;
      continue;
    }
    if (copy < 0) copy = open_copy(file->name);
    if (one.kind == RECORD_WRITE) write_all(copy, here + sizeof one, one.length, one.offset);
    else must(REAL(ftruncate64)(copy, one.offset) == 0, "truncate a shadow file");
  }
  if (copy < 0 && !is_deleted) copy = open_copy(file->name);
  if (copy >= 0) REAL(close)(copy);
}

void shadow_sync(int number) {
  if (number == 0) return;
  int64_t length;
  char *all = read_all(files[number].pending, &length);
  apply(&files[number], all, all + length);
  free(all);
  shadow_drop(number);
}

void shadow_drop(int number) {
  if (number != 0) must(REAL(ftruncate64)(files[number].pending, 0) == 0, "empty a record");
}

void shadow_sync_deletions(void) {
  for (int number = 1; number <= file_count; number++) {
    int64_t length;
    char *all = read_all(files[number].pending, &length);
    record_t last = { 0, 0, 0 };
    char *here = all;
    for (record_t one; (one = record_at(here, all + length)).kind != 0; here += sizeof one + one.length) last = one;
    free(all);
    if (last.kind == RECORD_UNLINK) shadow_sync(number);
  }
}
