// openssl, a few times.
#include "support/certificates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int openssl(const char *folder, const char *name, const char *more) {
  char command[1024];
  snprintf(
      command, sizeof command,
      "cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout %s.key "
      "-out %s.pem -subj /CN=%s %s >openssl.log 2>&1 || { cat openssl.log >&2; false; }",
      folder, name, name, name, more);
  return system(command) == 0 ? 0 : -1;
}

static void name(const struct certificates *of, const char *file, char path[64]) {
  snprintf(path, 64, "%s/%s", of->folder, file);
}

int certificates_make(struct certificates *of) {
  strcpy(of->folder, "/tmp/sp-certificates-XXXXXX");
  if (!mkdtemp(of->folder)) return -1;
  name(of, "ca.pem", of->ca);
  name(of, "server.pem", of->server_cert);
  name(of, "server.key", of->server_key);
  name(of, "client.pem", of->client_cert);
  name(of, "client.key", of->client_key);
  name(of, "other.pem", of->other_ca);
  name(of, "stranger.pem", of->stranger_cert);
  name(of, "stranger.key", of->stranger_key);
  static const char leaf[] = "-addext basicConstraints=critical,CA:FALSE -CA ca.pem -CAkey ca.key";
  static const char server[] = "-addext subjectAltName=DNS:localhost,DNS:" CERTIFICATE_NAME
                               " -addext basicConstraints=critical,CA:FALSE -CA ca.pem -CAkey ca.key";
  static const char stranger[] = "-addext basicConstraints=critical,CA:FALSE -CA other.pem -CAkey other.key";
  return openssl(of->folder, "ca", "") || openssl(of->folder, "other", "") ||
                 openssl(of->folder, "server", server) || openssl(of->folder, "client", leaf) ||
                 openssl(of->folder, "stranger", stranger)
             ? -1
             : 0;
}

void certificates_remove(struct certificates *of) {
  char command[64];
  snprintf(command, sizeof command, "rm -rf %s", of->folder);
  if (of->folder[0] && system(command) != 0) fprintf(stderr, "%s is left\n", of->folder);
}
