// Certificates for a test, made by openssl in a folder of their own: two authorities, and what each signed.
#ifndef SUPPORT_CERTIFICATES_H
#define SUPPORT_CERTIFICATES_H

#define CERTIFICATE_NAME "model.test" // besides localhost, the server's; not 127.0.0.1

struct certificates {
  char folder[32];
  // Paths, all PEM. The authority of server and client, and another one, which signed the stranger's.
  char ca[64], server_cert[64], server_key[64], client_cert[64], client_key[64];
  char other_ca[64], stranger_cert[64], stranger_key[64];
};

// 0, or -1 with what openssl says on stderr.
int certificates_make(struct certificates *of);
void certificates_remove(struct certificates *of);

#endif
