// The functions of OpenSSL 3 that the kernel calls, declared by hand: the addon links against what the node binary exports, whose headers are not
// on every machine. Types stay opaque; names, signatures and values are OpenSSL's own (openssl/evp.h, ssl.h, bio.h, x509.h, sha.h).
#pragma once
#include <cstddef>
#include <cstdint>

extern "C" {
typedef struct evp_cipher_st EVP_CIPHER;
typedef struct evp_cipher_ctx_st EVP_CIPHER_CTX;
typedef struct evp_md_st EVP_MD;
typedef struct evp_pkey_st EVP_PKEY;
typedef struct engine_st ENGINE;
typedef struct bio_st BIO;
typedef struct bio_method_st BIO_METHOD;
typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_method_st SSL_METHOD;
typedef struct x509_st X509;
typedef struct x509_store_ctx_st X509_STORE_CTX;
typedef struct X509_name_st X509_NAME;
typedef struct asn1_string_st ASN1_INTEGER;
typedef struct asn1_string_st ASN1_TIME;
typedef struct ossl_lib_ctx_st OSSL_LIB_CTX;

// SHA-1's state is public in OpenSSL (openssl/sha.h): copying it is what makes an HMAC with a fixed key cheap.
typedef struct SHAstate_st {
  uint32_t h0, h1, h2, h3, h4;
  uint32_t Nl, Nh;
  uint32_t data[16];
  unsigned int num;
} SHA_CTX;
int SHA1_Init(SHA_CTX* c);
int SHA1_Update(SHA_CTX* c, const void* data, size_t length);
int SHA1_Final(unsigned char* digest, SHA_CTX* c);

unsigned char* HMAC(const EVP_MD* type, const void* key, int keyLength, const unsigned char* data, size_t length, unsigned char* out, unsigned int* outLength);
int RAND_bytes(unsigned char* out, int length);
int CRYPTO_memcmp(const void* a, const void* b, size_t length);
void OPENSSL_cleanse(void* at, size_t length);
void ERR_clear_error(void);

EVP_CIPHER_CTX* EVP_CIPHER_CTX_new(void);
void EVP_CIPHER_CTX_free(EVP_CIPHER_CTX* ctx);
int EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX* ctx, int type, int arg, void* ptr);
const EVP_CIPHER* EVP_aes_128_gcm(void);
const EVP_CIPHER* EVP_aes_128_ctr(void);
int EVP_CipherInit_ex(EVP_CIPHER_CTX* ctx, const EVP_CIPHER* cipher, ENGINE* engine, const unsigned char* key, const unsigned char* iv, int encrypts);
int EVP_CipherUpdate(EVP_CIPHER_CTX* ctx, unsigned char* out, int* outLength, const unsigned char* in, int inLength);
int EVP_CipherFinal_ex(EVP_CIPHER_CTX* ctx, unsigned char* out, int* outLength);
#define EVP_CTRL_AEAD_GET_TAG 0x10
#define EVP_CTRL_AEAD_SET_TAG 0x11

const EVP_MD* EVP_sha256(void);
const EVP_MD* EVP_sha384(void);
const EVP_MD* EVP_sha512(void);
EVP_PKEY* EVP_PKEY_Q_keygen(OSSL_LIB_CTX* library, const char* properties, const char* type, ...);
void EVP_PKEY_free(EVP_PKEY* key);

X509* X509_new(void);
void X509_free(X509* certificate);
int X509_set_version(X509* certificate, long version);
ASN1_INTEGER* X509_get_serialNumber(X509* certificate);
int ASN1_INTEGER_set_uint64(ASN1_INTEGER* integer, uint64_t value);
ASN1_TIME* X509_getm_notBefore(const X509* certificate);
ASN1_TIME* X509_getm_notAfter(const X509* certificate);
ASN1_TIME* X509_gmtime_adj(ASN1_TIME* time, long seconds);
int X509_set_pubkey(X509* certificate, EVP_PKEY* key);
X509_NAME* X509_get_subject_name(const X509* certificate);
int X509_NAME_add_entry_by_txt(X509_NAME* name, const char* field, int type, const unsigned char* bytes, int length, int at, int set);
int X509_set_issuer_name(X509* certificate, const X509_NAME* name);
int X509_sign(X509* certificate, EVP_PKEY* key, const EVP_MD* digest);
int X509_digest(const X509* certificate, const EVP_MD* type, unsigned char* digest, unsigned int* length);
X509* X509_STORE_CTX_get0_cert(const X509_STORE_CTX* ctx);
void* X509_STORE_CTX_get_ex_data(const X509_STORE_CTX* ctx, int index);
void X509_STORE_CTX_set_error(X509_STORE_CTX* ctx, int error);
#define MBSTRING_ASC 0x1001
#define X509_V_OK 0
#define X509_V_ERR_CERT_REJECTED 28

BIO_METHOD* BIO_meth_new(int type, const char* name);
void BIO_meth_free(BIO_METHOD* method);
int BIO_meth_set_write(BIO_METHOD* method, int (*write)(BIO*, const char*, int));
int BIO_meth_set_read(BIO_METHOD* method, int (*read)(BIO*, char*, int));
int BIO_meth_set_ctrl(BIO_METHOD* method, long (*ctrl)(BIO*, int, long, void*));
int BIO_meth_set_create(BIO_METHOD* method, int (*create)(BIO*));
BIO* BIO_new(const BIO_METHOD* method);
void BIO_set_data(BIO* bio, void* data);
void* BIO_get_data(BIO* bio);
void BIO_set_init(BIO* bio, int init);
void BIO_set_flags(BIO* bio, int flags);
void BIO_clear_flags(BIO* bio, int flags);
#define BIO_TYPE_SOURCE_SINK 0x0400
#define BIO_FLAGS_READ 0x01
#define BIO_FLAGS_SHOULD_RETRY 0x08
#define BIO_CTRL_FLUSH 11
#define BIO_CTRL_DGRAM_QUERY_MTU 40
#define BIO_CTRL_DGRAM_GET_FALLBACK_MTU 47
#define BIO_CTRL_DGRAM_GET_MTU_OVERHEAD 49

typedef struct srtp_protection_profile_st {
  const char* name;
  unsigned long id;
} SRTP_PROTECTION_PROFILE;
const SSL_METHOD* DTLS_method(void);
SSL_CTX* SSL_CTX_new(const SSL_METHOD* method);
void SSL_CTX_free(SSL_CTX* ctx);
long SSL_CTX_ctrl(SSL_CTX* ctx, int command, long number, void* pointer);
uint64_t SSL_CTX_set_options(SSL_CTX* ctx, uint64_t options);
int SSL_CTX_set_cipher_list(SSL_CTX* ctx, const char* list);
int SSL_CTX_use_certificate(SSL_CTX* ctx, X509* certificate);
int SSL_CTX_use_PrivateKey(SSL_CTX* ctx, EVP_PKEY* key);
void SSL_CTX_set_verify(SSL_CTX* ctx, int mode, int (*callback)(int, X509_STORE_CTX*));
void SSL_CTX_set_cert_verify_callback(SSL_CTX* ctx, int (*callback)(X509_STORE_CTX*, void*), void* argument);
/** 0 is success here, unlike elsewhere. */
int SSL_CTX_set_tlsext_use_srtp(SSL_CTX* ctx, const char* profiles);
SSL* SSL_new(SSL_CTX* ctx);
void SSL_free(SSL* ssl);
void SSL_set_bio(SSL* ssl, BIO* read, BIO* write);
long SSL_ctrl(SSL* ssl, int command, long number, void* pointer);
void SSL_set_accept_state(SSL* ssl);
void SSL_set_connect_state(SSL* ssl);
int SSL_do_handshake(SSL* ssl);
int SSL_read(SSL* ssl, void* buffer, int length);
int SSL_shutdown(SSL* ssl);
int SSL_get_error(const SSL* ssl, int result);
int SSL_set_ex_data(SSL* ssl, int index, void* data);
void* SSL_get_ex_data(const SSL* ssl, int index);
int SSL_get_ex_data_X509_STORE_CTX_idx(void);
SRTP_PROTECTION_PROFILE* SSL_get_selected_srtp_profile(SSL* ssl);
int SSL_export_keying_material(SSL* ssl, unsigned char* out, size_t outLength, const char* label, size_t labelLength, const unsigned char* context,
                               size_t contextLength, int usesContext);
typedef struct ssl_session_st SSL_SESSION;
typedef struct ssl_cipher_st SSL_CIPHER;
SSL_SESSION* SSL_get_session(const SSL* ssl);
size_t SSL_SESSION_get_master_key(const SSL_SESSION* session, unsigned char* out, size_t outLength);
size_t SSL_get_client_random(const SSL* ssl, unsigned char* out, size_t outLength);
size_t SSL_get_server_random(const SSL* ssl, unsigned char* out, size_t outLength);
const SSL_CIPHER* SSL_get_current_cipher(const SSL* ssl);
uint32_t SSL_CIPHER_get_id(const SSL_CIPHER* cipher);
void DTLS_set_timer_cb(SSL* ssl, unsigned int (*callback)(SSL*, unsigned int));
#define DTLS1_2_VERSION 0xFEFD
#define SSL_VERIFY_PEER 0x01
#define SSL_VERIFY_FAIL_IF_NO_PEER_CERT 0x02
#define SSL_OP_NO_QUERY_MTU (uint64_t{1} << 12)
#define SSL_OP_NO_TICKET (uint64_t{1} << 14)
#define SSL_OP_NO_COMPRESSION (uint64_t{1} << 17)
#define SSL_OP_CIPHER_SERVER_PREFERENCE (uint64_t{1} << 22)
#define SSL_OP_NO_RENEGOTIATION (uint64_t{1} << 30)
#define SSL_MODE_RELEASE_BUFFERS 0x10
#define SSL_SESS_CACHE_OFF 0
#define SSL_CTRL_SET_MTU 17
#define SSL_CTRL_MODE 33
#define SSL_CTRL_SET_SESS_CACHE_MODE 44
#define SSL_CTRL_SET_MAX_CERT_LIST 51
#define DTLS_CTRL_HANDLE_TIMEOUT 74
#define SSL_CTRL_SET_GROUPS_LIST 92
#define SSL_CTRL_SET_MIN_PROTO_VERSION 123
#define SSL_ERROR_SSL 1
#define SSL_ERROR_WANT_READ 2
#define SSL_ERROR_SYSCALL 5
#define SSL_ERROR_ZERO_RETURN 6
}
