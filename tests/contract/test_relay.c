// The relay over real sockets of loopback, served by a thread, told by a pipe: what passes, when, and how it breaks. Over TCP
// and unix sockets.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "fault/address.h"
#include "fault/relay.h"

#define WITHIN_MS 30000 // a bound for what is broken, not a measure

struct bed {
  bool is_unix;
  char dir[64]; // of unix sockets
  struct sp_address target;
  int target_fd; // listens
  struct sp_relay *relay;
  pthread_t thread;
  int command_fd;
  pthread_mutex_t lock; // of the answers
  pthread_cond_t answered;
  size_t n_answers, n_refused;
  char refusal[256];
};

// ---- the bed

static void note_answer(void *context, const char *command, const struct sp_error *error) {
  struct bed *bed = context;
  (void)command;
  pthread_mutex_lock(&bed->lock);
  bed->n_answers++;
  if (error) {
    bed->n_refused++;
    snprintf(bed->refusal, sizeof bed->refusal, "%.255s", error->text);
  }
  pthread_cond_broadcast(&bed->answered);
  pthread_mutex_unlock(&bed->lock);
}

struct service {
  struct bed *bed;
  int command_fd;
};

static void *serve(void *argument) {
  struct service service = *(struct service *)argument;
  struct sp_error error;
  free(argument);
  if (sp_relay_run(service.bed->relay, service.command_fd, note_answer, service.bed, &error)) {
    fprintf(stderr, "%s\n", error.text);
    abort();
  }
  close(service.command_fd);
  return NULL;
}

static void start(struct bed *bed, bool is_unix) {
  *bed = (struct bed){.is_unix = is_unix,
                      .dir = "/tmp/sp-relay-XXXXXX",
                      .lock = PTHREAD_MUTEX_INITIALIZER,
                      .answered = PTHREAD_COND_INITIALIZER};
  struct sp_error error;
  int unused, pipe_fds[2];
  char listen[128] = "127.0.0.1:0", target[128] = "127.0.0.1:0";
  assert_non_null(mkdtemp(bed->dir));
  if (is_unix) {
    snprintf(listen, sizeof listen, "unix:%s/relay", bed->dir);
    snprintf(target, sizeof target, "unix:%s/target", bed->dir);
  }
  assert_int_equal(sp_address_find(target, &bed->target, &error), SP_OK);
  assert_int_equal(sp_address_reserve(&bed->target, &unused, &error), SP_OK);
  assert_int_equal(sp_address_listen(&bed->target, &bed->target_fd, &error), SP_OK);
  if (unused >= 0) close(unused);
  if (sp_relay_new(listen, bed->target.text, &bed->relay, &error)) fail_msg("%s", error.text);
  assert_int_equal(pipe(pipe_fds), 0);
  bed->command_fd = pipe_fds[1];
  struct service *service = malloc(sizeof *service);
  assert_non_null(service);
  *service = (struct service){bed, pipe_fds[0]};
  assert_int_equal(pthread_create(&bed->thread, NULL, serve, service), 0);
}

static void stop(struct bed *bed) {
  sp_relay_stop(bed->relay);
  assert_int_equal(pthread_join(bed->thread, NULL), 0);
  sp_relay_free(bed->relay);
  close(bed->command_fd);
  close(bed->target_fd);
  if (bed->is_unix) unlink(strchr(bed->target.text, ':') + 1);
  sp_address_done(&bed->target);
  assert_int_equal(rmdir(bed->dir), 0); // the relay's own socket is gone
}

// Writes the command and waits until it is answered; true: it was done.
static bool tell(struct bed *bed, const char *command) {
  pthread_mutex_lock(&bed->lock);
  size_t n = bed->n_answers, n_refused = bed->n_refused;
  assert_true(dprintf(bed->command_fd, "%s\n", command) > 0);
  while (bed->n_answers == n) pthread_cond_wait(&bed->answered, &bed->lock);
  bool is_done = bed->n_refused == n_refused;
  pthread_mutex_unlock(&bed->lock);
  return is_done;
}

static int connect_to(const char *text) {
  struct sp_address address;
  struct sp_error error;
  assert_int_equal(sp_address_find(text, &address, &error), SP_OK);
  int fd = socket(address.socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int status = connect(fd, (const struct sockaddr *)&address.socket, address.n_bytes);
  int why = errno;
  sp_address_done(&address);
  if (status == 0) return fd;
  close(fd);
  errno = why;
  return -1;
}

static bool can_read_within(int fd, int ms) {
  struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
  return poll(&poll_fd, 1, ms) == 1;
}

static int accept_one(const struct bed *bed) {
  assert_true(can_read_within(bed->target_fd, WITHIN_MS));
  int fd = accept(bed->target_fd, NULL, NULL);
  assert_true(fd >= 0);
  return fd;
}

// A connection through the relay: its two ends.
static void connect_pair(const struct bed *bed, int *client, int *target) {
  *client = connect_to(sp_relay_address(bed->relay));
  assert_true(*client >= 0);
  *target = accept_one(bed);
}

static void send_all(int fd, const void *bytes, size_t n) {
  for (size_t at = 0; at < n;) {
    ssize_t sent = send(fd, (const char *)bytes + at, n - at, MSG_NOSIGNAL);
    assert_true(sent > 0);
    at += (size_t)sent;
  }
}

// Reads n bytes, or up to the end; how many came. -1 with errno where the connection was reset before any.
static ssize_t receive(int fd, void *bytes, size_t n) {
  size_t at = 0;
  while (at < n) {
    assert_true(can_read_within(fd, WITHIN_MS));
    ssize_t got = recv(fd, (char *)bytes + at, n - at, 0);
    if (got < 0 && at == 0) return -1;
    if (got <= 0) break;
    at += (size_t)got;
  }
  return (ssize_t)at;
}

static void expect(int fd, const char *text) {
  char bytes[256];
  assert_int_equal(receive(fd, bytes, strlen(text)), strlen(text));
  assert_memory_equal(bytes, text, strlen(text));
}

// Over TCP a RST, over unix sockets the end.
static void is_broken(int fd) {
  char byte;
  ssize_t n = receive(fd, &byte, 1);
  if (n != 0) assert_true(n == -1 && (errno == ECONNRESET || errno == EPIPE));
}

// ---- what passes

static void bytes_pass_both_ways(bool is_unix) {
  struct bed bed;
  int client, target;
  start(&bed, is_unix);
  connect_pair(&bed, &client, &target);
  for (int i = 0; i < 100; i++) {
    send_all(client, "question", 8);
    expect(target, "question");
    send_all(target, "answer", 6);
    expect(client, "answer");
  }
  close(client);
  char byte;
  assert_int_equal(receive(target, &byte, 1), 0);
  close(target);
  stop(&bed);
}
static void bytes_pass_over_tcp(void **state) {
  (void)state;
  bytes_pass_both_ways(false);
}
static void bytes_pass_over_unix(void **state) {
  (void)state;
  bytes_pass_both_ways(true);
}

#define BULK_BYTES ((size_t)8 << 20)

static uint8_t bulk_byte(size_t i) {
  return (uint8_t)(i * 2654435761U >> 13);
}

static void *send_bulk(void *argument) {
  int fd = *(int *)argument;
  uint8_t *bytes = malloc(BULK_BYTES);
  if (!bytes) abort();
  for (size_t i = 0; i < BULK_BYTES; i++) bytes[i] = bulk_byte(i);
  send_all(fd, bytes, BULK_BYTES);
  shutdown(fd, SHUT_WR);
  free(bytes);
  return NULL;
}

static void check_bulk(int fd) {
  uint8_t *bytes = malloc(BULK_BYTES + 1);
  assert_non_null(bytes);
  assert_int_equal(receive(fd, bytes, BULK_BYTES + 1), BULK_BYTES);
  for (size_t i = 0; i < BULK_BYTES; i++) {
    if (bytes[i] != bulk_byte(i)) fail_msg("byte %zu was changed", i);
  }
  free(bytes);
}

// More than it holds, both ways at once, with a delay and a pause on the way; and each way ends on its own.
static void much_passes_unchanged(void **state) {
  (void)state;
  struct bed bed;
  int ends[2];
  pthread_t senders[2];
  start(&bed, false);
  connect_pair(&bed, &ends[0], &ends[1]);
  assert_true(tell(&bed, "delay 2ms"));
  for (int i = 0; i < 2; i++) assert_int_equal(pthread_create(&senders[i], NULL, send_bulk, &ends[i]), 0);
  assert_true(tell(&bed, "pause"));
  assert_true(tell(&bed, "resume"));
  check_bulk(ends[1]);
  assert_true(tell(&bed, "delay 0ms"));
  check_bulk(ends[0]);
  for (int i = 0; i < 2; i++) assert_int_equal(pthread_join(senders[i], NULL), 0);
  for (int i = 0; i < 2; i++) close(ends[i]);
  stop(&bed);
}

static void half_a_connection_may_end_first(void **state) {
  (void)state;
  struct bed bed;
  int client, target;
  char byte;
  start(&bed, false);
  connect_pair(&bed, &client, &target);
  send_all(client, "all", 3);
  shutdown(client, SHUT_WR);
  expect(target, "all");
  assert_int_equal(receive(target, &byte, 1), 0);
  send_all(target, "reply", 5); // long after the question's end
  expect(client, "reply");
  close(target);
  assert_int_equal(receive(client, &byte, 1), 0);
  close(client);
  stop(&bed);
}

// ---- when

static int64_t round_trip_ns(int client, int target) {
  int64_t start_ns = sp_now_ns();
  send_all(client, "ping", 4);
  expect(target, "ping");
  send_all(target, "pong", 4);
  expect(client, "pong");
  return sp_now_ns() - start_ns;
}

// Never less than told; how much more is the machine's doing.
static void a_delay_is_added_each_way(void **state) {
  (void)state;
  struct bed bed;
  int client, target;
  start(&bed, false);
  connect_pair(&bed, &client, &target);
  assert_true(tell(&bed, "delay 20ms"));
  int64_t least_ns = INT64_MAX;
  for (int i = 0; i < 10; i++) {
    int64_t took_ns = round_trip_ns(client, target);
    assert_true(took_ns >= 40 * SP_NS_PER_MS);
    if (took_ns < least_ns) least_ns = took_ns;
  }
  assert_true(least_ns < 60 * SP_NS_PER_MS); // not doubled, not added twice
  assert_true(tell(&bed, "delay 0ms"));
  least_ns = INT64_MAX;
  for (int i = 0; i < 10; i++) {
    int64_t took_ns = round_trip_ns(client, target);
    if (took_ns < least_ns) least_ns = took_ns;
  }
  assert_true(least_ns < 40 * SP_NS_PER_MS);
  close(client);
  close(target);
  stop(&bed);
}

static void order_is_kept_when_the_delay_shrinks(void **state) {
  (void)state;
  struct bed bed;
  int client, target;
  start(&bed, false);
  connect_pair(&bed, &client, &target);
  assert_true(tell(&bed, "delay 50ms"));
  send_all(client, "first", 5);
  // The relay has it once nothing is left in the socket; a command behind it would not tell.
  for (int i = 0; i < 20; i++) {
    assert_true(tell(&bed, i % 2 ? "delay 50ms" : "delay 49ms"));
    usleep(500);
  }
  assert_true(tell(&bed, "delay 0ms"));
  send_all(client, "second", 6);
  expect(target, "firstsecond");
  close(client);
  close(target);
  stop(&bed);
}

static void a_pause_holds_and_loses_nothing(bool is_unix) {
  struct bed bed;
  int client, target;
  start(&bed, is_unix);
  connect_pair(&bed, &client, &target);
  send_all(client, "before", 6);
  expect(target, "before");
  assert_true(tell(&bed, "pause"));
  send_all(client, "during", 6);
  send_all(target, "back", 4);
  assert_false(can_read_within(target, 50));
  assert_false(can_read_within(client, 0));
  int late = connect_to(sp_relay_address(bed.relay)); // waits to be let in
  assert_true(late >= 0);
  send_all(late, "late", 4);
  assert_false(can_read_within(bed.target_fd, 20));
  assert_true(tell(&bed, "resume"));
  expect(target, "during");
  expect(client, "back");
  int late_target = accept_one(&bed);
  expect(late_target, "late");
  const int fds[] = {client, target, late, late_target};
  for (int i = 0; i < 4; i++) close(fds[i]);
  stop(&bed);
}
static void a_pause_over_tcp(void **state) {
  (void)state;
  a_pause_holds_and_loses_nothing(false);
}
static void a_pause_over_unix(void **state) {
  (void)state;
  a_pause_holds_and_loses_nothing(true);
}

// ---- how it breaks

static void a_reset_ends_every_connection(bool is_unix) {
  struct bed bed;
  int clients[3], targets[3];
  start(&bed, is_unix);
  for (int i = 0; i < 3; i++) connect_pair(&bed, &clients[i], &targets[i]);
  assert_true(tell(&bed, "reset"));
  for (int i = 0; i < 3; i++) {
    is_broken(clients[i]);
    is_broken(targets[i]);
    close(clients[i]);
    close(targets[i]);
  }
  connect_pair(&bed, &clients[0], &targets[0]); // new ones pass
  send_all(clients[0], "again", 5);
  expect(targets[0], "again");
  close(clients[0]);
  close(targets[0]);
  stop(&bed);
}
static void a_reset_over_tcp(void **state) {
  (void)state;
  a_reset_ends_every_connection(false);
}
static void a_reset_over_unix(void **state) {
  (void)state;
  a_reset_ends_every_connection(true);
}

static void a_cut_refuses_until_healed(bool is_unix) {
  struct bed bed;
  int client, target;
  start(&bed, is_unix);
  connect_pair(&bed, &client, &target);
  for (int round = 0; round < 3; round++) {
    assert_true(tell(&bed, "cut"));
    is_broken(client);
    is_broken(target);
    close(client);
    close(target);
    for (int i = 0; i < 5; i++) {
      assert_int_equal(connect_to(sp_relay_address(bed.relay)), -1);
      assert_int_equal(errno, is_unix ? ENOENT : ECONNREFUSED);
    }
    assert_true(tell(&bed, "heal"));
    assert_true(tell(&bed, "heal")); // once more is fine
    connect_pair(&bed, &client, &target);
    send_all(target, "healed", 6);
    expect(client, "healed");
  }
  close(client);
  close(target);
  stop(&bed);
}
static void a_cut_over_tcp(void **state) {
  (void)state;
  a_cut_refuses_until_healed(false);
}
static void a_cut_over_unix(void **state) {
  (void)state;
  a_cut_refuses_until_healed(true);
}

static void a_connection_drops_after_so_many_bytes(void **state) {
  (void)state;
  struct bed bed;
  int client, target;
  char bytes[64];
  start(&bed, false);
  connect_pair(&bed, &client, &target);
  send_all(client, "free of charge", 14);
  expect(target, "free of charge");
  assert_true(tell(&bed, "drop-after 10"));
  send_all(client, "0123", 4);
  expect(target, "0123");
  send_all(target, "45", 2); // both ways together
  expect(client, "45");
  send_all(client, "6789abc", 7);
  assert_int_equal(receive(target, bytes, sizeof bytes), 4);
  assert_memory_equal(bytes, "6789", 4);
  is_broken(client);
  close(client);
  close(target);
  connect_pair(&bed, &client, &target); // a new one, too
  send_all(client, "0123456789abc", 13);
  assert_int_equal(receive(target, bytes, sizeof bytes), 10);
  close(client);
  close(target);
  assert_true(tell(&bed, "heal"));
  connect_pair(&bed, &client, &target);
  send_all(client, "0123456789abc", 13);
  expect(target, "0123456789abc");
  close(client);
  close(target);
  stop(&bed);
}

static void an_end_that_is_gone_takes_the_other_along(void **state) {
  (void)state;
  static const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
  struct bed bed;
  int client, target;
  start(&bed, false);
  connect_pair(&bed, &client, &target);
  assert_int_equal(setsockopt(target, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
  close(target);
  is_broken(client);
  close(client);
  close(bed.target_fd); // and one that was never there
  bed.target_fd = -1;
  client = connect_to(sp_relay_address(bed.relay));
  assert_true(client >= 0);
  is_broken(client);
  close(client);
  stop(&bed);
}

// ---- what it is told

static void an_unknown_command_changes_nothing(void **state) {
  (void)state;
  static const struct {
    const char *line, *said;
  } cases[] = {
      {"pauze", "did you mean pause?"}, {"", "is no command"},      {"pause now", "takes nothing behind it"},
      {"delay", "needs a value"},       {"delay 5", "has no unit"}, {"drop-after -1", "drop-after: "},
      {"drop-after 0", "write reset"},  {"resume ", NULL},
  };
  struct bed bed;
  int client, target;
  start(&bed, false);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    assert_int_equal(tell(&bed, cases[i].line), cases[i].said == NULL);
    if (cases[i].said && !strstr(bed.refusal, cases[i].said))
      fail_msg("\"%s\" does not say \"%s\"", bed.refusal, cases[i].said);
  }
  char line[1000];
  memset(line, 'x', sizeof line - 1);
  line[sizeof line - 1] = 0;
  assert_false(tell(&bed, line));
  connect_pair(&bed, &client, &target);
  send_all(client, "well", 4);
  expect(target, "well");
  close(client);
  close(target);
  stop(&bed);
}

static void addresses_that_cannot_be_are_refused(void **state) {
  (void)state;
  struct sp_relay *relay = NULL;
  struct sp_error error;
  static const char *const wrong[] = {
      "", "127.0.0.1", ":80", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x", "unix:"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    assert_int_equal(sp_relay_new(wrong[i], "127.0.0.1:1", &relay, &error), SP_ERR_USAGE);
    assert_int_equal(sp_relay_new("127.0.0.1:0", wrong[i], &relay, &error), SP_ERR_USAGE);
  }
  struct bed bed;
  start(&bed, false);
  assert_int_equal(sp_relay_new(sp_relay_address(bed.relay), "127.0.0.1:1", &relay, &error),
                   SP_ERR_ENVIRONMENT);
  assert_non_null(strstr(error.text, "port 0"));
  assert_int_equal(sp_relay_new(bed.target.text, "127.0.0.1:1", &relay, &error), SP_ERR_ENVIRONMENT);
  stop(&bed);
  if (sp_relay_new("[::1]:0", "127.0.0.1:1", &relay, &error) == SP_OK) {
    assert_memory_equal(sp_relay_address(relay), "[::1]:", 6);
    sp_relay_free(relay);
  } else {
    assert_int_equal(error.code, SP_ERR_ENVIRONMENT); // a machine without IPv6
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bytes_pass_over_tcp),
      cmocka_unit_test(bytes_pass_over_unix),
      cmocka_unit_test(much_passes_unchanged),
      cmocka_unit_test(half_a_connection_may_end_first),
      cmocka_unit_test(a_delay_is_added_each_way),
      cmocka_unit_test(order_is_kept_when_the_delay_shrinks),
      cmocka_unit_test(a_pause_over_tcp),
      cmocka_unit_test(a_pause_over_unix),
      cmocka_unit_test(a_reset_over_tcp),
      cmocka_unit_test(a_reset_over_unix),
      cmocka_unit_test(a_cut_over_tcp),
      cmocka_unit_test(a_cut_over_unix),
      cmocka_unit_test(a_connection_drops_after_so_many_bytes),
      cmocka_unit_test(an_end_that_is_gone_takes_the_other_along),
      cmocka_unit_test(an_unknown_command_changes_nothing),
      cmocka_unit_test(addresses_that_cannot_be_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
