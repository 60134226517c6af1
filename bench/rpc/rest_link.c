// Addresses, TLS, headers; blocking requests; why a server cannot be reached.
#include "rpc/rest_link.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "rpc/channel.h"
#include "rpc/rest_scan.h"

#define LOOK_NS  (200 * SP_NS_PER_MS) // how long a look at what listens there may take
#define PAUSE_NS (20 * SP_NS_PER_MS)  // between two attempts to reach a server

struct sp_rest_link {
  const struct sp_rpc_conf *conf;
  char *address;
  char *authority; // "127.0.0.1:8501" of the URL
  char *unix_path; // NULL: TCP
  struct curl_slist *headers, *connect_to;
};

static void start_library(void) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
}

// --- Making a link ---

static bool is_token(const char *name) {
  static const char also[] = "!#$%&'*+-.^_`|~";
  for (const char *at = name; *at; at++) {
    bool is_letter = (*at >= '0' && *at <= '9') || (*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z');
    if (!is_letter && !strchr(also, *at)) return false;
  }
  return *name != '\0';
}

static bool is_header_value(const char *value) {
  for (; *value; value++) {
    if ((unsigned char)*value < 0x20 || *value == 0x7f) return false;
  }
  return true;
}

static bool is_ours(const char *name) {
  static const char *const ours[] = {"connection", "content-length", "content-type", "expect",
                                     "transfer-encoding"};
  for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
    if (strcasecmp(name, ours[i]) == 0) return true;
  }
  return false;
}

static void add_header(struct sp_rest_link *link, const char *name, const char *value) {
  // libcurl takes "Name:" as a wish to leave that header out, "Name;" as one without a value.
  char *line = *value ? sp_format("%s: %s", name, value) : sp_format("%s;", name);
  link->headers = curl_slist_append(link->headers, line);
  SP_ASSERT(link->headers);
  free(line);
}

static enum sp_err add_headers(struct sp_rest_link *link, struct sp_error *error) {
  link->headers = curl_slist_append(NULL, "Expect:");
  add_header(link, "Content-Type", "application/json");
  const struct sp_properties *metadata = &link->conf->link.metadata;
  for (size_t i = 0; i < metadata->n; i++) {
    const char *name = metadata->items[i].name, *value = metadata->items[i].value;
    if (!is_token(name))
      return sp_fail(error, SP_ERR_USAGE, "rpc.metadata: \"%s\" is no name of an HTTP header", name);
    if (is_ours(name))
      return sp_fail(error, SP_ERR_USAGE, "rpc.metadata: %s is what the client itself says", name);
    if (!is_header_value(value))
      return sp_fail(error, SP_ERR_USAGE, "rpc.metadata: the value of %s holds a control character", name);
    add_header(link, name, value);
  }
  const char *token = link->conf->link.token;
  if (!token) return SP_OK;
  if (!is_header_value(token))
    return sp_fail(error, SP_ERR_USAGE, "rpc.token: holds a control character; is it the right file?");
  char *value = sp_format("Bearer %s", token);
  add_header(link, "Authorization", value);
  free(value);
  return SP_OK;
}

static enum sp_err check_files(const struct sp_rpc_link_conf *conf, struct sp_error *error) {
  const struct {
    const char *key, *file;
  } files[] = {{"rpc.ca", conf->ca}, {"rpc.cert", conf->cert}, {"rpc.key", conf->key}};
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
    if (!files[i].file) continue;
    if (!conf->tls)
      return sp_fail(error, SP_ERR_USAGE, "%s needs rpc.tls; add rpc: {tls: true}", files[i].key);
    if (access(files[i].file, R_OK) != 0)
      return sp_fail(error, SP_ERR_ENVIRONMENT, "%s: %s cannot be read (%s)", files[i].key, files[i].file,
                     strerror(errno));
  }
  if (!conf->cert != !conf->key)
    return sp_fail(error, SP_ERR_USAGE, "rpc.cert and rpc.key go together; give both or neither");
  return SP_OK;
}

// The URL bears the name that the certificate must have; where that is not the address, libcurl is told where to go.
static void set_authority(struct sp_rest_link *link) {
  const char *name = link->conf->link.server_name;
  if (strncmp(link->address, "unix:", 5) == 0) {
    link->unix_path = sp_copy_text(link->address + 5);
    link->authority = sp_copy_text(name ? name : "localhost");
  } else if (name) {
    link->authority = sp_format("%s%s", name, strrchr(link->address, ':'));
    char *line = sp_format("%s:%s", link->authority, link->address);
    link->connect_to = curl_slist_append(NULL, line);
    free(line);
  } else {
    link->authority = sp_copy_text(link->address);
  }
}

enum sp_err sp_rest_link_new(const struct sp_rpc_env *env, struct sp_rest_link **made,
                             struct sp_error *error) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, start_library);
  enum sp_err err = sp_address_check("server", env->address, error);
  if (!err) err = check_files(&env->conf->link, error);
  if (err) return err;
  struct sp_rest_link *link = sp_alloc(sizeof *link);
  link->conf = env->conf;
  link->address = sp_copy_text(env->address);
  set_authority(link);
  err = add_headers(link, error);
  if (err)
    sp_rest_link_free(link);
  else
    *made = link;
  return err;
}

void sp_rest_link_free(struct sp_rest_link *link) {
  if (!link) return;
  curl_slist_free_all(link->headers);
  curl_slist_free_all(link->connect_to);
  free(link->unix_path);
  free(link->authority);
  free(link->address);
  free(link);
}

// --- Handles ---

static void set(CURL *easy, CURLoption option, const char *text) {
  if (text) curl_easy_setopt(easy, option, text);
}

static CURL *handle_of(const struct sp_rest_link *link, const char *scheme, const char *path) {
  CURL *easy = curl_easy_init();
  SP_ASSERT(easy);
  char *url = sp_format("%s://%s%s", scheme, link->authority, path);
  CURLcode taken = curl_easy_setopt(easy, CURLOPT_URL, url);
  SP_ASSERT(taken == CURLE_OK);
  free(url);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*"); // *_proxy in the environment applies even to loopback
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, -1L); // names are looked up once
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, link->headers);
  set(easy, CURLOPT_UNIX_SOCKET_PATH, link->unix_path);
  if (link->connect_to) curl_easy_setopt(easy, CURLOPT_CONNECT_TO, link->connect_to);
  return easy;
}

CURL *sp_rest_handle_new(const struct sp_rest_link *link, const char *path) {
  const struct sp_rpc_link_conf *conf = &link->conf->link;
  CURL *easy = handle_of(link, conf->tls ? "https" : "http", path);
  if (conf->tls) {
    set(easy, CURLOPT_CAINFO, conf->ca);
    set(easy, CURLOPT_SSLCERT, conf->cert);
    set(easy, CURLOPT_SSLKEY, conf->key);
  }
  return easy;
}

// --- Blocking requests ---

static size_t take_body(char *bytes, size_t one, size_t n, void *context) {
  (void)one;
  struct sp_rest_answer *answer = context;
  if (n > SP_REST_ANSWER_BYTES_MAX - answer->n_body) return 0;
  answer->body = sp_realloc(answer->body, answer->n_body + n + 1);
  memcpy(answer->body + answer->n_body, bytes, n);
  answer->n_body += n;
  return n;
}

static void take_note(struct sp_bytes line, const char *name, char *to, size_t n_to) {
  size_t n_name = strlen(name), n = 0;
  if (line.n <= n_name || strncasecmp((const char *)line.data, name, n_name) != 0) return;
  for (size_t i = n_name; i < line.n && n < n_to - 1; i++) {
    uint8_t byte = line.data[i];
    if (byte > 0x20 || (byte == ' ' && n)) to[n++] = byte < 0x7f ? (char)byte : '?';
  }
  to[n] = 0;
}

static size_t take_header(char *bytes, size_t one, size_t n, void *context) {
  (void)one;
  struct sp_rpc_server_facts *server = context;
  struct sp_bytes line = sp_bytes_of(bytes, n);
  take_note(line, "sp-server:", server->software, sizeof server->software);
  take_note(line, "sp-stub:", server->stub, sizeof server->stub);
  take_note(line, "sp-model-digest:", server->model_digest, sizeof server->model_digest);
  return n;
}

static long milliseconds(int64_t ns) {
  return ns <= SP_NS_PER_MS ? 1 : (long)((ns + SP_NS_PER_MS - 1) / SP_NS_PER_MS);
}

static void say_why(CURL *easy, const char *said, struct sp_rest_answer *answer) {
  long system_errno = 0;
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &system_errno);
  const char *why = *said ? said : curl_easy_strerror(answer->ended);
  if (answer->ended == CURLE_COULDNT_CONNECT && system_errno)
    why = system_errno == ECONNREFUSED ? "connection refused" : strerror((int)system_errno);
  if (answer->ended == CURLE_OPERATION_TIMEDOUT) why = "it does not answer";
  sp_rest_error_text(sp_bytes_of_text(why), answer->text, sizeof answer->text);
}

void sp_rest_ask(const struct sp_rest_link *link, const char *path, struct sp_bytes body, int64_t timeout_ns,
                 struct sp_rest_answer *answer) {
  *answer = (struct sp_rest_answer){.body = sp_alloc(1)};
  char said[CURL_ERROR_SIZE] = "";
  long status = 0;
  CURL *easy = sp_rest_handle_new(link, path);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, said);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, milliseconds(timeout_ns));
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &answer->server);
  if (body.data) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data);
  }
  answer->ended = curl_easy_perform(easy);
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  if (answer->ended != CURLE_OK) {
    say_why(easy, said, answer);
  } else {
    answer->status = (int)status;
    if (status < 200 || status > 299)
      sp_rest_error_text(sp_bytes_of(answer->body, answer->n_body), answer->text, sizeof answer->text);
  }
  curl_easy_cleanup(easy);
}

// --- What listens there? ---

// The first bytes that it says to a plain HTTP/1.1 request; 0 where it says none.
static size_t first_bytes(const struct sp_rest_link *link, uint8_t *bytes, size_t n_bytes) {
  static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  CURL *easy = handle_of(link, "http", "/");
  curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, milliseconds(LOOK_NS));
  size_t n = 0;
  curl_socket_t socket;
  if (curl_easy_perform(easy) == CURLE_OK &&
      curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &socket) == CURLE_OK && socket != CURL_SOCKET_BAD &&
      curl_easy_send(easy, request, sizeof request - 1, &n) == CURLE_OK) {
    struct pollfd ready = {.fd = socket, .events = POLLIN};
    n = 0;
    if (poll(&ready, 1, (int)milliseconds(LOOK_NS)) > 0) curl_easy_recv(easy, bytes, n_bytes, &n);
  }
  curl_easy_cleanup(easy);
  return n;
}

static bool shakes_hands(const struct sp_rest_link *link) {
  CURL *easy = handle_of(link, "https", "/");
  curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, milliseconds(LOOK_NS));
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  bool does = curl_easy_perform(easy) == CURLE_OK;
  curl_easy_cleanup(easy);
  return does;
}

// What is wrong with it for good; NULL where nothing can be told.
static const char *look(const struct sp_rest_link *link) {
  uint8_t bytes[9] = {0};
  size_t n = first_bytes(link, bytes, sizeof bytes);
  bool wants_tls = link->conf->link.tls;
  // The frame header of HTTP/2: length, type 4 (SETTINGS), flags, stream 0.
  if (n == 9 && bytes[3] == 4 && !(bytes[5] | bytes[6] | bytes[7] | bytes[8]))
    return "what listens there speaks HTTP/2, as gRPC does; use protocol tfs or kserve";
  if (n >= 5 && memcmp(bytes, "HTTP/", 5) == 0)
    return wants_tls && !shakes_hands(link) ? "what listens there speaks plain HTTP; leave rpc.tls out"
                                            : NULL;
  if (!wants_tls && ((n && bytes[0] == 0x15) || shakes_hands(link)))
    return "what listens there speaks TLS; set rpc.tls";
  return n ? "what listens there does not speak HTTP; is that its port?" : NULL;
}

static bool may_come_later(const struct sp_rest_answer *answer) {
  return answer->ended != CURLE_PEER_FAILED_VERIFICATION && answer->ended != CURLE_SSL_CERTPROBLEM &&
         answer->ended != CURLE_SSL_CACERT_BADFILE;
}

enum sp_err sp_rest_reach(const struct sp_rest_link *link, const char *path, struct sp_rest_answer *answer,
                          struct sp_error *error) {
  int64_t start_ns = sp_now_ns(), deadline_ns = start_ns + link->conf->connect_timeout_ns;
  const char *wrong = NULL;
  char why[sizeof answer->text] = "";
  bool is_busy = false;
  for (;;) {
    sp_rest_ask(link, path, (struct sp_bytes){0}, deadline_ns - sp_now_ns(), answer);
    if (answer->status && answer->status != 503) return SP_OK;
    // The last attempt may have had no time left: what the one before said counts then.
    if (answer->ended != CURLE_OPERATION_TIMEDOUT || !*why) {
      is_busy = answer->status != 0;
      snprintf(why, sizeof why, "%s", *answer->text ? answer->text : "no reason given");
    }
    bool is_there = answer->ended != CURLE_OK && answer->ended != CURLE_COULDNT_CONNECT &&
                    answer->ended != CURLE_COULDNT_RESOLVE_HOST;
    if (is_there) wrong = look(link);
    if (wrong || !may_come_later(answer) || sp_now_ns() + PAUSE_NS >= deadline_ns) break;
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    free(answer->body);
  }
  free(answer->body);
  answer->body = NULL;
  double tried_s = (double)(sp_now_ns() - start_ns) / 1e9;
  if (is_busy) {
    return sp_fail(error, SP_ERR_ENVIRONMENT, "model server %s is not ready (HTTP 503: %s, tried for %.3g s)",
                   link->address, why, tried_s);
  }
  if (wrong)
    return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot reach model server %s: %s", link->address, wrong);
  return sp_fail(
      error, SP_ERR_ENVIRONMENT,
      "cannot reach model server %s (%s, tried for %.3g s); start one that speaks REST there, or use "
      "--server spawn with protocol tfs or kserve",
      link->address, why, tried_s);
}

// --- Texts ---

char *sp_rest_escape(const char *name) {
  static const char digits[] = "0123456789ABCDEF", also[] = "-._~";
  char *text = sp_alloc(3 * strlen(name) + 1), *to = text;
  for (const char *at = name; *at; at++) {
    unsigned char c = (unsigned char)*at;
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || strchr(also, c)) {
      *to++ = (char)c;
      continue;
    }
    *to++ = '%';
    *to++ = digits[c >> 4];
    *to++ = digits[c & 15];
  }
  return text;
}

static char library_text[32];

static void name_library(void) {
  snprintf(library_text, sizeof library_text, "libcurl %s", curl_version_info(CURLVERSION_NOW)->version);
}

const char *sp_rest_library(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, name_library);
  return library_text;
}
