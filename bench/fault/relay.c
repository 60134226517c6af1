// One thread and one epoll, edge by edge: a socket's readiness is noted when it is told, and used up when the relay is allowed
// to move bytes. So a pause costs nothing and loses nothing.
#include "fault/relay.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/names.h"
#include "base/units.h"
#include "fault/address.h"
#include "fault/flow.h"

#define EVENTS_MAX        64
#define ROUNDS            4 // of one connection before the next
#define COMMAND_BYTES_MAX 256
#define NO_LIMIT          UINT64_MAX

// What an event is about, by its first member.
enum kind { KIND_LISTENER, KIND_TIMER, KIND_STOP, KIND_COMMANDS, KIND_SOCKET };

// One end of a connection.
struct end {
  enum kind kind; // KIND_SOCKET
  struct connection *connection;
  int fd;
  bool can_read, can_write;
  bool is_connecting;
  struct sp_flow flow; // from this end to the other
  bool is_told;        // the other end knows that this one has ended
};

struct connection {
  struct connection *previous, *next;
  struct end client, target;
  uint64_t n_left; // bytes until it is reset
  bool is_dead;    // freed once no event can name it
};

struct sp_relay {
  struct sp_address listen, target;
  int epoll_fd, reserve_fd, listen_fd, timer_fd, stop_fd, command_fd; // -1: none
  enum kind listener_kind, timer_kind, stop_kind, command_kind;       // what epoll hands back
  bool can_accept, is_paused;
  int64_t delay_ns;
  uint64_t drop_after; // bytes; NO_LIMIT
  int64_t timer_ns;    // what the timer is set to
  bool has_more;       // some connection could go on at once
  struct connection *connections, *dead;
  char command[COMMAND_BYTES_MAX]; // read so far
  size_t n_command;
};

// ---- connections

static void close_end(struct end *end, bool is_reset) {
  static const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
  if (end->fd < 0) return;
  if (is_reset) setsockopt(end->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(end->fd); // leaves epoll too
  end->fd = -1;
  sp_flow_done(&end->flow);
}

static void end_connection(struct sp_relay *relay, struct connection *connection, bool is_reset) {
  close_end(&connection->client, is_reset);
  close_end(&connection->target, is_reset);
  if (connection->next) connection->next->previous = connection->previous;
  if (connection->previous)
    connection->previous->next = connection->next;
  else
    relay->connections = connection->next;
  connection->is_dead = true;
  connection->next = relay->dead;
  relay->dead = connection;
}

static void bury(struct sp_relay *relay) {
  while (relay->dead) {
    struct connection *connection = relay->dead;
    relay->dead = connection->next;
    free(connection);
  }
}

static bool watch(const struct sp_relay *relay, int fd, uint32_t events, void *what) {
  struct epoll_event event = {.events = events, .data.ptr = what};
  return epoll_ctl(relay->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

// Nothing is said where the target is not there: the client sees its connection reset.
static void add_connection(struct sp_relay *relay, int client_fd) {
  static const int on = 1;
  struct connection *new = sp_alloc(sizeof *new);
  new->client = (struct end){.kind = KIND_SOCKET, .connection = new, .fd = client_fd};
  new->target = (struct end){.kind = KIND_SOCKET,
                             .connection = new,
                             .fd = sp_address_connect(&relay->target),
                             .is_connecting = true};
  new->n_left = relay->drop_after;
  new->next = relay->connections;
  if (new->next) new->next->previous = new;
  relay->connections = new;
  if (relay->listen.socket.ss_family != AF_UNIX)
    setsockopt(client_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  uint32_t events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  if (new->target.fd < 0 || !watch(relay, client_fd, events, &new->client) ||
      !watch(relay, new->target.fd, events, &new->target))
    end_connection(relay, new, true);
}

static void accept_all(struct sp_relay *relay) {
  while (relay->can_accept && relay->listen_fd >= 0) {
    // cppcheck-suppress nullPointer ; who connects is not asked
    int fd = accept4(relay->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
      add_connection(relay, fd);
      continue;
    }
    if (errno == EAGAIN) relay->can_accept = false;
    if (errno == EINTR || errno == ECONNABORTED) continue;
    return; // no descriptors: tried again with the next event
  }
}

// ---- moving bytes

// Takes in what fits. False: the connection is broken.
static bool take_in(const struct sp_relay *relay, struct end *from) {
  uint8_t *to;
  size_t room;
  while (from->can_read && !from->flow.has_ended && (room = sp_flow_room(&from->flow, &to)) > 0) {
    ssize_t n = recv(from->fd, to, room, 0);
    if (n > 0)
      sp_flow_put(&from->flow, (size_t)n, sp_now_ns() + relay->delay_ns);
    else if (n == 0)
      sp_flow_end(&from->flow, sp_now_ns() + relay->delay_ns);
    else if (errno == EAGAIN)
      from->can_read = false;
    else if (errno != EINTR)
      return false;
  }
  return true;
}

// Gives out what is due. False: the connection is broken, or has had its bytes.
static bool give_out(struct end *from, struct end *to, int64_t now_ns) {
  const uint8_t *bytes;
  size_t n_due;
  uint64_t *n_left = &from->connection->n_left;
  while (to->can_write && (n_due = sp_flow_due(&from->flow, now_ns, &bytes)) > 0) {
    ssize_t n = send(to->fd, bytes, n_due < *n_left ? n_due : (size_t)*n_left, MSG_NOSIGNAL);
    if (n >= 0) {
      sp_flow_take(&from->flow, (size_t)n);
      if (*n_left != NO_LIMIT) *n_left -= (uint64_t)n;
      if (*n_left == 0) return false;
    } else if (errno == EAGAIN) {
      to->can_write = false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  if (!from->is_told && to->can_write && sp_flow_is_over(&from->flow, now_ns)) {
    from->is_told = true;
    if (shutdown(to->fd, SHUT_WR) != 0) return false;
  }
  return true;
}

// A few times, since a ring that was full has room afterwards; then the others have their turn.
static bool move(struct sp_relay *relay, struct end *from, struct end *to) {
  for (int i = 0; i < ROUNDS; i++) {
    uint64_t n_in = from->flow.n_in, n_out = from->flow.n_out;
    if (!take_in(relay, from) || !give_out(from, to, sp_now_ns())) return false;
    if (from->flow.n_in == n_in && from->flow.n_out == n_out) return true;
  }
  relay->has_more = true;
  return true;
}

static void serve(struct sp_relay *relay, struct connection *connection) {
  struct end *client = &connection->client, *target = &connection->target;
  if (!move(relay, client, target) || !move(relay, target, client))
    end_connection(relay, connection, true);
  else if (client->is_told && target->is_told)
    end_connection(relay, connection, false);
}

static void serve_all(struct sp_relay *relay) {
  for (struct connection *connection = relay->connections, *next; connection; connection = next) {
    next = connection->next;
    serve(relay, connection);
  }
}

static void note_socket(struct sp_relay *relay, struct end *end, uint32_t events) {
  if (end->connection->is_dead) return;
  if (end->is_connecting && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) {
    int why = 0;
    socklen_t n = sizeof why;
    getsockopt(end->fd, SOL_SOCKET, SO_ERROR, &why, &n);
    end->is_connecting = false;
    if (why) {
      end_connection(relay, end->connection, true);
      return;
    }
  }
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) end->can_read = true;
  if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) end->can_write = true;
  // An end that was reset has nothing to read where that was read already, and nothing to be told.
  if ((events & EPOLLERR) && end->flow.has_ended && !relay->is_paused)
    end_connection(relay, end->connection, true);
  else if (!relay->is_paused)
    serve(relay, end->connection);
}

// ---- commands

static void reset_all(struct sp_relay *relay) {
  relay->can_accept = true;
  accept_all(relay); // those who wait to be let in, too
  while (relay->connections) end_connection(relay, relay->connections, true);
}

static enum sp_err start_listening(struct sp_relay *relay, struct sp_error *error) {
  if (relay->listen_fd >= 0) return SP_OK;
  enum sp_err err = sp_address_listen(&relay->listen, &relay->listen_fd, error);
  if (err) {
    relay->listen_fd = -1;
    return err;
  }
  relay->can_accept = true;
  watch(relay, relay->listen_fd, EPOLLIN | EPOLLET, &relay->listener_kind);
  return SP_OK;
}

static void stop_listening(struct sp_relay *relay) {
  if (relay->listen_fd < 0) return;
  close(relay->listen_fd);
  relay->listen_fd = -1;
  if (relay->listen.socket.ss_family == AF_UNIX)
    unlink(((const struct sockaddr_un *)&relay->listen.socket)->sun_path);
}

static enum sp_err pause_all(struct sp_relay *relay, const char *argument, struct sp_error *error) {
  (void)argument, (void)error;
  relay->is_paused = true;
  return SP_OK;
}

static enum sp_err resume_all(struct sp_relay *relay, const char *argument, struct sp_error *error) {
  (void)argument, (void)error;
  relay->is_paused = false;
  return SP_OK;
}

static enum sp_err set_delay(struct sp_relay *relay, const char *argument, struct sp_error *error) {
  struct sp_error why;
  enum sp_err err = sp_units_parse_duration(argument, &relay->delay_ns, &why);
  return err ? sp_fail(error, err, "delay: %s", why.text) : SP_OK;
}

static enum sp_err reset(struct sp_relay *relay, const char *argument, struct sp_error *error) {
  (void)argument, (void)error;
  reset_all(relay);
  return SP_OK;
}

static enum sp_err cut(struct sp_relay *relay, const char *argument, struct sp_error *error) {
  (void)argument, (void)error;
  reset_all(relay);
  stop_listening(relay);
  return SP_OK;
}

static void limit_all(struct sp_relay *relay, uint64_t n_bytes) {
  relay->drop_after = n_bytes;
  for (struct connection *at = relay->connections; at; at = at->next) at->n_left = n_bytes;
}

static enum sp_err heal(struct sp_relay *relay, const char *argument, struct sp_error *error) {
  (void)argument;
  limit_all(relay, NO_LIMIT);
  return start_listening(relay, error);
}

static enum sp_err drop_after(struct sp_relay *relay, const char *argument, struct sp_error *error) {
  struct sp_error why;
  uint64_t n_bytes;
  enum sp_err err = sp_units_parse_count(argument, &n_bytes, &why);
  if (err) return sp_fail(error, err, "drop-after: %s", why.text);
  if (n_bytes == 0) return sp_fail(error, SP_ERR_USAGE, "drop-after: 0 bytes is a reset; write reset");
  limit_all(relay, n_bytes);
  return SP_OK;
}

static const struct command {
  const char *name;
  bool has_argument;
  enum sp_err (*run)(struct sp_relay *relay, const char *argument, struct sp_error *error);
} commands[] = {{"pause", false, pause_all},     {"resume", false, resume_all}, {"delay", true, set_delay},
                {"reset", false, reset},         {"cut", false, cut},           {"heal", false, heal},
                {"drop-after", true, drop_after}};
#define N_COMMANDS (sizeof commands / sizeof commands[0])

enum sp_err sp_relay_command(struct sp_relay *relay, const char *line, struct sp_error *error) {
  const char *names[N_COMMANDS];
  size_t n_name = strcspn(line, " ");
  const char *argument = line + n_name + strspn(line + n_name, " ");
  for (size_t i = 0; i < N_COMMANDS; i++) {
    names[i] = commands[i].name;
    if (strlen(names[i]) != n_name || memcmp(names[i], line, n_name) != 0) continue;
    if (commands[i].has_argument == (*argument != '\0')) return commands[i].run(relay, argument, error);
    return sp_fail(error, SP_ERR_USAGE, "%s %s", names[i],
                   *argument ? "takes nothing behind it" : "needs a value: delay 5ms, drop-after 1000");
  }
  char *name = sp_format("%.*s", (int)(n_name < 64 ? n_name : 64), line), suggestion[128];
  sp_fail(error, SP_ERR_USAGE, "\"%s\" is no command; %s", name,
          sp_names_suggest(name, names, N_COMMANDS, suggestion, sizeof suggestion));
  free(name);
  return SP_ERR_USAGE;
}

static void run_line(struct sp_relay *relay, sp_relay_answer answer, void *context) {
  struct sp_error error;
  relay->command[relay->n_command] = '\0';
  relay->n_command = 0;
  enum sp_err err = sp_relay_command(relay, relay->command, &error);
  if (answer) answer(context, relay->command, err ? &error : NULL);
}

// A line that is too long is cut, and then is no command.
static void read_commands(struct sp_relay *relay, sp_relay_answer answer, void *context) {
  char bytes[512];
  ssize_t n = read(relay->command_fd, bytes, sizeof bytes); // once: it may block where nothing is left
  for (ssize_t i = 0; i < n; i++) {
    if (bytes[i] == '\n')
      run_line(relay, answer, context);
    else if (relay->n_command < COMMAND_BYTES_MAX - 1)
      relay->command[relay->n_command++] = bytes[i];
  }
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
    epoll_ctl(relay->epoll_fd, EPOLL_CTL_DEL, relay->command_fd, NULL);
    relay->command_fd = -1;
  }
}

// ---- serving

// To the moment when the next bytes are due.
static void set_timer(struct sp_relay *relay) {
  int64_t next_ns = INT64_MAX;
  for (const struct connection *at = relay->connections; at && !relay->is_paused; at = at->next) {
    const struct end *ends[] = {&at->client, &at->target};
    for (size_t i = 0; i < 2; i++) {
      int64_t due_ns = sp_flow_next_ns(&ends[i]->flow);
      // What the other end cannot take now is not waited for by time.
      if (ends[1 - i]->can_write && !ends[i]->is_told && due_ns < next_ns) next_ns = due_ns;
    }
  }
  if (next_ns == relay->timer_ns) return;
  relay->timer_ns = next_ns;
  struct itimerspec at = {0};
  if (next_ns != INT64_MAX) at.it_value = (struct timespec){next_ns / SP_NS_PER_S, next_ns % SP_NS_PER_S};
  timerfd_settime(relay->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void take_timer(struct sp_relay *relay) {
  uint64_t n_times;
  relay->timer_ns = INT64_MAX;
  if (read(relay->timer_fd, &n_times, sizeof n_times) > 0 && !relay->is_paused) serve_all(relay);
}

// False: it is time to stop.
static bool take_event(struct sp_relay *relay, const struct epoll_event *event, sp_relay_answer answer,
                       void *context) {
  switch (*(enum kind *)event->data.ptr) {
  case KIND_STOP: return false;
  case KIND_LISTENER: relay->can_accept = true; break;
  case KIND_TIMER: take_timer(relay); break;
  case KIND_COMMANDS: {
    bool was_paused = relay->is_paused;
    read_commands(relay, answer, context);
    if (was_paused && !relay->is_paused) serve_all(relay);
    break;
  }
  case KIND_SOCKET: note_socket(relay, event->data.ptr, event->events); break;
  }
  return true;
}

enum sp_err sp_relay_run(struct sp_relay *relay, int command_fd, sp_relay_answer answer, void *context,
                         struct sp_error *error) {
  relay->command_fd = command_fd;
  // What cannot be watched (a file, /dev/null) will send no commands.
  if (command_fd >= 0 && !watch(relay, command_fd, EPOLLIN, &relay->command_kind)) relay->command_fd = -1;
  for (bool goes_on = true; goes_on;) {
    struct epoll_event events[EVENTS_MAX];
    if (!relay->is_paused) accept_all(relay);
    set_timer(relay);
    bool has_more = relay->has_more && !relay->is_paused;
    int n = epoll_wait(relay->epoll_fd, events, EVENTS_MAX, has_more ? 0 : -1);
    if (n < 0 && errno != EINTR)
      return sp_fail(error, SP_ERR_ENVIRONMENT, "relay: epoll failed (%s)", strerror(errno));
    if (has_more) relay->has_more = false;
    for (int i = 0; i < n && goes_on; i++) goes_on = take_event(relay, &events[i], answer, context);
    if (has_more && !relay->is_paused) serve_all(relay);
    bury(relay);
  }
  return SP_OK;
}

void sp_relay_stop(struct sp_relay *relay) {
  const uint64_t one = 1;
  ssize_t written = write(relay->stop_fd, &one, sizeof one);
  (void)written; // full only where it was told already
}

static enum sp_err open_all(struct sp_relay *relay, struct sp_error *error) {
  relay->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  relay->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  relay->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (relay->epoll_fd < 0 || relay->timer_fd < 0 || relay->stop_fd < 0 ||
      !watch(relay, relay->timer_fd, EPOLLIN, &relay->timer_kind) ||
      !watch(relay, relay->stop_fd, EPOLLIN, &relay->stop_kind))
    return sp_fail(error, SP_ERR_ENVIRONMENT, "relay: the system gives no descriptors (%s); raise ulimit -n",
                   strerror(errno));
  enum sp_err err = sp_address_reserve(&relay->listen, &relay->reserve_fd, error);
  return err ? err : start_listening(relay, error);
}

enum sp_err sp_relay_new(const char *listen, const char *target, struct sp_relay **made,
                         struct sp_error *error) {
  struct sp_relay *relay = sp_alloc(sizeof *relay);
  *relay = (struct sp_relay){.epoll_fd = -1,
                             .reserve_fd = -1,
                             .listen_fd = -1,
                             .timer_fd = -1,
                             .stop_fd = -1,
                             .command_fd = -1,
                             .listener_kind = KIND_LISTENER,
                             .timer_kind = KIND_TIMER,
                             .stop_kind = KIND_STOP,
                             .command_kind = KIND_COMMANDS,
                             .drop_after = NO_LIMIT,
                             .timer_ns = INT64_MAX};
  enum sp_err err = sp_address_find(listen, &relay->listen, error);
  if (!err) err = sp_address_find(target, &relay->target, error);
  if (!err) err = open_all(relay, error);
  if (err)
    sp_relay_free(relay);
  else
    *made = relay;
  return err;
}

const char *sp_relay_address(const struct sp_relay *relay) {
  return relay->listen.text;
}

void sp_relay_free(struct sp_relay *relay) {
  if (!relay) return;
  for (struct connection *at = relay->connections, *next; at; at = next) {
    next = at->next;
    close_end(&at->client, true);
    close_end(&at->target, true);
    free(at);
  }
  bury(relay);
  stop_listening(relay);
  const int fds[] = {relay->reserve_fd, relay->timer_fd, relay->stop_fd, relay->epoll_fd};
  for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
    if (fds[i] >= 0) close(fds[i]);
  }
  sp_address_done(&relay->listen);
  sp_address_done(&relay->target);
  free(relay);
}
