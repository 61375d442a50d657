/* Adds the control file's offset to the wall clock; the monotonic clock stays as it is. */
#include "fault-shim.h"

int clock_gettime(clockid_t clock, struct timespec *now) {
  int done = REAL(clock_gettime)(clock, now);
  int64_t offset = control[CLOCK_OFFSET_MS];
  if (done != 0 || offset == 0 || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return done;
  int64_t ns = now->tv_nsec + (offset % 1000) * 1000000;
  now->tv_sec += offset / 1000 + (ns >= 1000000000) - (ns < 0);
  now->tv_nsec = (ns + 1000000000) % 1000000000;
  return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  if (control[CLOCK_OFFSET_MS] == 0) return REAL(gettimeofday)(now, zone);
  struct timespec exact;
  if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
  *now = (struct timeval){ .tv_sec = exact.tv_sec, .tv_usec = exact.tv_nsec / 1000 };
  return 0;
}

time_t time(time_t *at) {
  struct timespec exact;
  if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
  if (at != NULL) *at = exact.tv_sec;
  return exact.tv_sec;
}
