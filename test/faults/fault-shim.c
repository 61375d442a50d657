/*
 * Stands between a process (LD_PRELOAD) and the C library, and makes the files under one path prefix, and the wall clock, fail on
 * request. What to do is read from a shared file of 64-bit numbers that fault-shim.ts writes while the process runs.
 *
 * Power loss: with FAULT_SHIM_SHADOW set, that directory holds for every file what would survive if the power went now. Each write,
 * truncation and deletion goes to the real file and is recorded in `<name>.pending`; an fsync or fdatasync of the file applies the
 * record to `<name>` and empties it. A file is in the shadow from its first fsync on (SQLite syncs the folder then). A deletion counts
 * when the folder is synced or when a new file of that name is. A fsync that is made to
 * fail drops the record, as Linux forgets pages it could not write. Files that
 * end in `-shm` are not recorded: they are never synced, and SQLite rebuilds them.
 *
 * Only what SQLite calls is covered: open, read, write, pread, pwrite, ftruncate, unlink, fsync; not mmap'ed writes, writev or rename.
 */
#include "fault-shim.h"

enum { MAX_FDS = 65536, NOT_WATCHED = 0, FOLDER = -1, NOT_RECORDED = -2 };

static _Atomic int64_t no_faults[NUMBERS];
_Atomic int64_t *control = no_faults;
static char prefix[4096], folder[4096];
/* Per descriptor: the number of its file in the shadow, or one of the above. */
static short watched[MAX_FDS];

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("FAULT_SHIM_CONTROL"), *files = getenv("FAULT_SHIM_PREFIX"), *shadow = getenv("FAULT_SHIM_SHADOW");
  if (path == NULL) return;
  int fd = REAL(open)(path, O_RDWR | O_CLOEXEC);
  must(fd >= 0, path);
  void *memory = mmap(NULL, sizeof no_faults, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  must(memory != MAP_FAILED, path);
  REAL(close)(fd);
  control = memory;
  if (files == NULL) return;
  control[FSYNCS_UNDER_WAY] = 0;
  snprintf(prefix, sizeof prefix, "%s", files);
  snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(files, '/') - files), files);
  if (shadow != NULL) shadow_begin(shadow);
}

static int fail(int number) {
  control[FAULTS_GIVEN]++;
  errno = number;
  return -1;
}

static int is_watched(const char *path) { return prefix[0] != 0 && strncmp(path, prefix, strlen(prefix)) == 0; }

static short kind_of(int fd) { return fd >= 0 && fd < MAX_FDS ? watched[fd] : NOT_WATCHED; }

static int file_of(short kind) { return kind > 0 ? kind : 0; }

static int opened(int fd, const char *path, int flags) {
  if (fd < 0 || fd >= MAX_FDS) return fd;
  watched[fd] = prefix[0] != 0 && strcmp(path, folder) == 0 ? FOLDER : NOT_WATCHED;
  if (!is_watched(path)) return fd;
  pthread_mutex_lock(&shadow_mutex);
  int file = shadow_file(path, fd);
  if (flags & O_TRUNC) shadow_record(file, RECORD_TRUNCATE, 0, NULL, 0);
  pthread_mutex_unlock(&shadow_mutex);
  watched[fd] = file == 0 ? NOT_RECORDED : file;
  return fd;
}

#define OPEN_BODY(call) \
  mode_t mode = 0; \
  if (flags & (O_CREAT | __O_TMPFILE)) { \
    va_list list; \
    va_start(list, flags); \
    mode = va_arg(list, mode_t); \
    va_end(list); \
  } \
  if (control[OPEN_ERROR] && (flags & O_ACCMODE) != O_RDONLY && is_watched(path)) return fail(control[OPEN_ERROR]); \
  return opened(call, path, flags);

int open(const char *path, int flags, ...) { OPEN_BODY(REAL(open)(path, flags, mode)) }
int open64(const char *path, int flags, ...) { OPEN_BODY(REAL(open64)(path, flags, mode)) }
int openat(int at, const char *path, int flags, ...) { OPEN_BODY(REAL(openat)(at, path, flags, mode)) }
int openat64(int at, const char *path, int flags, ...) { OPEN_BODY(REAL(openat64)(at, path, flags, mode)) }

int close(int fd) {
  if (fd >= 0 && fd < MAX_FDS) watched[fd] = NOT_WATCHED;
  return REAL(close)(fd);
}

int access(const char *path, int mode) {
  if ((mode & W_OK) && control[OPEN_ERROR] && is_watched(path)) return fail(control[OPEN_ERROR]);
  return REAL(access)(path, mode);
}

#define READ_BODY(call) \
  if (kind_of(fd) && control[READ_ERROR]) return fail(control[READ_ERROR]); \
  return call;

ssize_t read(int fd, void *data, size_t length) { READ_BODY(REAL(read)(fd, data, length)) }
ssize_t pread(int fd, void *data, size_t length, off_t at) { READ_BODY(REAL(pread)(fd, data, length, at)) }
ssize_t pread64(int fd, void *data, size_t length, off64_t at) { READ_BODY(REAL(pread64)(fd, data, length, at)) }

/* Whether a write that leaves the file at least `end` long is to fail. */
static int is_refused(int fd, int64_t end) {
  struct stat now;
  if (!control[WRITE_ERROR]) return 0;
  return !control[ONLY_GROWTH] || (fstat(fd, &now) == 0 && end > now.st_size);
}

#define WRITE_BODY(at, call) \
  short kind = kind_of(fd); \
  if (kind == NOT_WATCHED) return call; \
  int64_t start = at; \
  if (is_refused(fd, start + (int64_t)length)) return fail(control[WRITE_ERROR]); \
  pthread_mutex_lock(&shadow_mutex); \
  ssize_t done = call; \
  int number = errno; \
  if (done > 0) shadow_record(file_of(kind), RECORD_WRITE, start, data, done); \
  pthread_mutex_unlock(&shadow_mutex); \
  errno = number; \
  return done;

ssize_t write(int fd, const void *data, size_t length) {
  WRITE_BODY(lseek64(fd, 0, SEEK_CUR), REAL(write)(fd, data, length))
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t at) {
  WRITE_BODY(at, REAL(pwrite)(fd, data, length, at))
}
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) {
  WRITE_BODY(at, REAL(pwrite64)(fd, data, length, at))
}

#define TRUNCATE_BODY(call) \
  short kind = kind_of(fd); \
  if (kind == NOT_WATCHED) return call; \
  if (is_refused(fd, size)) return fail(control[WRITE_ERROR]); \
  pthread_mutex_lock(&shadow_mutex); \
  int done = call; \
  if (done == 0) shadow_record(file_of(kind), RECORD_TRUNCATE, size, NULL, 0); \
  pthread_mutex_unlock(&shadow_mutex); \
  return done;

int ftruncate(int fd, off_t size) { TRUNCATE_BODY(REAL(ftruncate)(fd, size)) }
int ftruncate64(int fd, off64_t size) { TRUNCATE_BODY(REAL(ftruncate64)(fd, size)) }

int unlink(const char *path) {
  if (!is_watched(path)) return REAL(unlink)(path);
  if (control[OPEN_ERROR]) return fail(control[OPEN_ERROR]);
  pthread_mutex_lock(&shadow_mutex);
  int done = REAL(unlink)(path);
  int number = errno;
  if (done == 0) shadow_record(shadow_file(path, -1), RECORD_UNLINK, 0, NULL, 0);
  pthread_mutex_unlock(&shadow_mutex);
  errno = number;
  return done;
}

static int sync_with(int (*real)(int), int fd) {
  short kind = kind_of(fd);
  if (kind == NOT_WATCHED) return real(fd);
  control[FSYNCS_UNDER_WAY]++;
  for (int64_t waited = 0; waited < control[FSYNC_DELAY_MS]; waited += 5) usleep(5000);
  pthread_mutex_lock(&shadow_mutex);
  int is_refused = control[FSYNC_ERROR] != 0;
  int done = is_refused ? fail(control[FSYNC_ERROR]) : real(fd);
  int number = errno;
  if (is_refused) shadow_drop(file_of(kind));
  else if (done == 0 && kind == FOLDER) shadow_sync_deletions();
  else if (done == 0) shadow_sync(file_of(kind));
  pthread_mutex_unlock(&shadow_mutex);
  control[FSYNCS_UNDER_WAY]--;
  errno = number;
  return done;
}

int fsync(int fd) { return sync_with(REAL(fsync), fd); }
int fdatasync(int fd) { return sync_with(REAL(fdatasync), fd); }
