/*
 * Preloaded into a daemon, it writes down what that asks of the file system, in order, so that a test can take away what
 * was never synced: what a loss of power may do. Format and meaning of the records: `crash-power-log.ts`.
 *
 *   CRASH_POWER_LOG            file that the records go to
 *   CRASH_POWER_SYNC_DELAY_US  each sync takes so much longer: kills hit open batches more often
 *   CRASH_POWER_DEAF           `files` or `folders`: their syncs are not written down. A daemon that forgot them would
 *                              look like that, so the test has to find acknowledged jobs lost
 *
 * A call is written down when it succeeded and before its caller knows; a sync before it begins and after it ended. Calls
 * that change names or content go one at a time, so that the log has the order of their effects.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATE = 1, WRITE, TRUNCATE, SYNC_BEGIN, SYNC_END, LINK, RENAME, UNLINK, MKDIR, RMDIR, UNKNOWN };

struct record {
  uint32_t bytes; /* of the whole record, this one included */
  uint32_t kind;
  uint64_t inode;
  uint64_t parent;
  uint64_t parent_to;
  uint64_t number; /* position, size, number of the sync, or mode */
  uint32_t name_bytes;
  uint32_t name_to_bytes;
};

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static pid_t owner;
static uint64_t syncs;
static useconds_t sync_delay_us;
static int deaf_to_files, deaf_to_folders;

#define REAL(result, name, ...) \
  static result (*real_##name)(__VA_ARGS__); \
  if (!real_##name) real_##name = (result (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("CRASH_POWER_LOG");
  const char *delay = getenv("CRASH_POWER_SYNC_DELAY_US");
  const char *deaf = getenv("CRASH_POWER_DEAF");
  if (!path) return;
  REAL(int, open, const char *, int, ...);
  log_fd = real_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  owner = getpid();
  if (delay) sync_delay_us = (useconds_t)atoi(delay);
  deaf_to_files = deaf && !strcmp(deaf, "files");
  deaf_to_folders = deaf && !strcmp(deaf, "folders");
}

/* A child between fork and exec must not touch the mutex. */
static int listens(void) { return log_fd >= 0 && getpid() == owner; }

static void put(struct record record, const char *name, const char *name_to, const struct iovec *data, int pieces,
                size_t data_bytes) {
  REAL(ssize_t, write, int, const void *, size_t);
  size_t name_bytes = name ? strlen(name) : 0, name_to_bytes = name_to ? strlen(name_to) : 0;
  size_t bytes = sizeof record + name_bytes + name_to_bytes + data_bytes;
  char *buffer = malloc(bytes), *at = buffer;
  int saved = errno;
  if (!buffer) abort();
  record.bytes = (uint32_t)bytes;
  record.name_bytes = (uint32_t)name_bytes;
  record.name_to_bytes = (uint32_t)name_to_bytes;
  at = mempcpy(at, &record, sizeof record);
  at = mempcpy(at, name ? name : "", name_bytes);
  at = mempcpy(at, name_to ? name_to : "", name_to_bytes);
  for (int piece = 0; piece < pieces && data_bytes > 0; piece++) {
    size_t take = data[piece].iov_len < data_bytes ? data[piece].iov_len : data_bytes;
    at = mempcpy(at, data[piece].iov_base, take);
    data_bytes -= take;
  }
  if (real_write(log_fd, buffer, bytes) != (ssize_t)bytes) abort();
  free(buffer);
  errno = saved;
}

/* The folder that a path stands in, by inode, and the last part of the path. */
static uint64_t parent_of(const char *path, const char **name) {
  char folder[4096];
  struct stat facts;
  const char *slash = strrchr(path, '/');
  *name = slash ? slash + 1 : path;
  if (!slash) strcpy(folder, ".");
  else if (slash == path) strcpy(folder, "/");
  else if ((size_t)(slash - path) < sizeof folder) { memcpy(folder, path, (size_t)(slash - path)); folder[slash - path] = 0; }
  else return 0;
  return stat(folder, &facts) == 0 ? facts.st_ino : 0;
}

static int is_ours(int fd, struct stat *facts) {
  return listens() && fd > 2 && fstat(fd, facts) == 0 && (S_ISREG(facts->st_mode) || S_ISDIR(facts->st_mode));
}

static void put_named(int kind, const char *path) {
  struct stat facts = {0};
  const char *name;
  uint64_t parent = parent_of(path, &name);
  int saved = errno;
  if (kind == CREATE || kind == MKDIR) lstat(path, &facts);
  errno = saved;
  struct record record = {.kind = (uint32_t)kind, .inode = facts.st_ino, .parent = parent, .number = facts.st_mode & 07777};
  put(record, name, NULL, NULL, 0, 0);
}

/* --------------------------------------------------------------------------------------------------------- names */

static int opened(int (*real)(const char *, int, ...), const char *path, int flags, mode_t mode) {
  struct stat facts;
  if (!listens() || !(flags & (O_CREAT | O_TRUNC)) || (flags & O_TMPFILE) == O_TMPFILE) return real(path, flags, mode);
  pthread_mutex_lock(&one_at_a_time);
  int was_there = stat(path, &facts) == 0;
  int fd = real(path, flags, mode);
  if (fd >= 0 && !was_there) put_named(CREATE, path);
  else if (fd >= 0 && (flags & O_TRUNC) && S_ISREG(facts.st_mode))
    put((struct record){.kind = TRUNCATE, .inode = facts.st_ino}, NULL, NULL, NULL, 0, 0);
  pthread_mutex_unlock(&one_at_a_time);
  return fd;
}

#define MODE_OF(flags) \
  mode_t mode = 0; \
  if ((flags) & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }

int open(const char *path, int flags, ...) { REAL(int, open, const char *, int, ...); MODE_OF(flags) return opened(real_open, path, flags, mode); }
int open64(const char *path, int flags, ...) { REAL(int, open64, const char *, int, ...); MODE_OF(flags) return opened(real_open64, path, flags, mode); }

static int moved(int kind, const char *from, const char *to, int (*real)(const char *, const char *)) {
  if (!listens()) return real(from, to);
  pthread_mutex_lock(&one_at_a_time);
  struct stat facts = {0};
  const char *name, *name_to;
  uint64_t parent = parent_of(from, &name), parent_to = parent_of(to, &name_to);
  lstat(from, &facts);
  int result = real(from, to);
  if (result == 0) {
    struct record record = {.kind = (uint32_t)kind, .inode = facts.st_ino, .parent = parent, .parent_to = parent_to};
    put(record, name, name_to, NULL, 0, 0);
  }
  pthread_mutex_unlock(&one_at_a_time);
  return result;
}
int rename(const char *from, const char *to) { REAL(int, rename, const char *, const char *); return moved(RENAME, from, to, real_rename); }
int link(const char *from, const char *to) { REAL(int, link, const char *, const char *); return moved(LINK, from, to, real_link); }

static int removed(int kind, const char *path, int (*real)(const char *)) {
  if (!listens()) return real(path);
  pthread_mutex_lock(&one_at_a_time);
  int result = real(path);
  if (result == 0) put_named(kind, path);
  pthread_mutex_unlock(&one_at_a_time);
  return result;
}
int unlink(const char *path) { REAL(int, unlink, const char *); return removed(UNLINK, path, real_unlink); }
int rmdir(const char *path) { REAL(int, rmdir, const char *); return removed(RMDIR, path, real_rmdir); }

int mkdir(const char *path, mode_t mode) {
  REAL(int, mkdir, const char *, mode_t);
  if (!listens()) return real_mkdir(path, mode);
  pthread_mutex_lock(&one_at_a_time);
  int result = real_mkdir(path, mode);
  if (result == 0) put_named(MKDIR, path);
  pthread_mutex_unlock(&one_at_a_time);
  return result;
}
int symlink(const char *to, const char *path) {
  REAL(int, symlink, const char *, const char *);
  int result = real_symlink(to, path);
  if (result == 0 && listens()) put_named(UNKNOWN, path);
  return result;
}

/* ------------------------------------------------------------------------------------------------------- content */

#define WRITTEN(call, data, pieces, position) \
  struct stat facts; \
  if (!is_ours(fd, &facts)) return call; \
  pthread_mutex_lock(&one_at_a_time); \
  ssize_t result = call; \
  if (result > 0) \
    put((struct record){.kind = WRITE, .inode = facts.st_ino, .number = (uint64_t)(position)}, NULL, NULL, data, pieces, (size_t)result); \
  pthread_mutex_unlock(&one_at_a_time); \
  return result;

static off_t before(int fd, ssize_t written) {
  int saved = errno;
  off_t at = lseek(fd, 0, SEEK_CUR) - written;
  errno = saved;
  return at;
}

ssize_t write(int fd, const void *bytes, size_t count) {
  REAL(ssize_t, write, int, const void *, size_t);
  struct iovec data = {(void *)bytes, count};
  WRITTEN(real_write(fd, bytes, count), &data, 1, before(fd, result))
}
ssize_t writev(int fd, const struct iovec *data, int pieces) {
  REAL(ssize_t, writev, int, const struct iovec *, int);
  WRITTEN(real_writev(fd, data, pieces), data, pieces, before(fd, result))
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t position) {
  REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
  struct iovec data = {(void *)bytes, count};
  WRITTEN(real_pwrite(fd, bytes, count, position), &data, 1, position)
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t position) {
  REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
  struct iovec data = {(void *)bytes, count};
  WRITTEN(real_pwrite64(fd, bytes, count, position), &data, 1, position)
}
ssize_t pwritev(int fd, const struct iovec *data, int pieces, off_t position) {
  REAL(ssize_t, pwritev, int, const struct iovec *, int, off_t);
  WRITTEN(real_pwritev(fd, data, pieces, position), data, pieces, position)
}
ssize_t pwritev64(int fd, const struct iovec *data, int pieces, off64_t position) {
  REAL(ssize_t, pwritev64, int, const struct iovec *, int, off64_t);
  WRITTEN(real_pwritev64(fd, data, pieces, position), data, pieces, position)
}

static int cut(int fd, off64_t size, int result) {
  struct stat facts;
  if (result == 0 && is_ours(fd, &facts))
    put((struct record){.kind = TRUNCATE, .inode = facts.st_ino, .number = (uint64_t)size}, NULL, NULL, NULL, 0, 0);
  return result;
}
int ftruncate(int fd, off_t size) {
  REAL(int, ftruncate, int, off_t);
  pthread_mutex_lock(&one_at_a_time);
  int result = cut(fd, size, real_ftruncate(fd, size));
  pthread_mutex_unlock(&one_at_a_time);
  return result;
}
int ftruncate64(int fd, off64_t size) {
  REAL(int, ftruncate64, int, off64_t);
  pthread_mutex_lock(&one_at_a_time);
  int result = cut(fd, size, real_ftruncate64(fd, size));
  pthread_mutex_unlock(&one_at_a_time);
  return result;
}
ssize_t sendfile64(int to, int from, off64_t *position, size_t count) {
  REAL(ssize_t, sendfile64, int, int, off64_t *, size_t);
  struct stat facts;
  ssize_t result = real_sendfile64(to, from, position, count);
  if (result > 0 && is_ours(to, &facts)) put((struct record){.kind = UNKNOWN, .inode = facts.st_ino}, "sendfile", NULL, NULL, 0, 0);
  return result;
}

/* --------------------------------------------------------------------------------------------------------- syncs */

static int synced(int fd, int (*real)(int)) {
  struct stat facts;
  if (!is_ours(fd, &facts)) return real(fd);
  pthread_mutex_lock(&one_at_a_time);
  uint64_t number = ++syncs;
  put((struct record){.kind = SYNC_BEGIN, .inode = facts.st_ino, .number = number}, NULL, NULL, NULL, 0, 0);
  pthread_mutex_unlock(&one_at_a_time);
  if (sync_delay_us) usleep(sync_delay_us);
  int result = real(fd);
  int deaf = S_ISDIR(facts.st_mode) ? deaf_to_folders : deaf_to_files;
  if (result == 0 && !deaf) {
    pthread_mutex_lock(&one_at_a_time);
    put((struct record){.kind = SYNC_END, .inode = facts.st_ino, .number = number}, NULL, NULL, NULL, 0, 0);
    pthread_mutex_unlock(&one_at_a_time);
  }
  return result;
}
int fsync(int fd) { REAL(int, fsync, int); return synced(fd, real_fsync); }
int fdatasync(int fd) { REAL(int, fdatasync, int); return synced(fd, real_fdatasync); }
