// identity: a certificate that a server signs itself, and its key. Nothing is read or written.
//
//     const bench::tls::identity self;
//     context.use_certificate_chain(asio::buffer(self.certificate_pem));
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace bench::tls {
namespace detail {

template <auto Free>
struct freed_by {
  template <class Resource>
  void operator()(Resource* resource) const {
    Free(resource);
  }
};
using key = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using certificate = std::unique_ptr<X509, freed_by<X509_free>>;
using memory = std::unique_ptr<BIO, freed_by<BIO_free>>;

inline std::string text_of(const memory& written) {
  char* text = nullptr;
  const auto size = BIO_get_mem_data(written.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace detail

// A self-signed certificate for "fibers.test", valid for a month, and its key on the curve P-256;
// both as PEM.
struct identity {
  identity() {
    const detail::key pair{EVP_EC_gen("P-256")};
    const detail::certificate made{X509_new()};
    X509_set_version(made.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 30L * 24 * 3600);
    X509_set_pubkey(made.get(), pair.get());
    auto* name = X509_get_subject_name(made.get());
    const std::string host = "fibers.test";
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(host.c_str()), -1, -1, 0);
    X509_set_issuer_name(made.get(), name);
    if (X509_sign(made.get(), pair.get(), EVP_sha256()) == 0) throw std::runtime_error{"X509_sign"};
    const detail::memory certificate_text{BIO_new(BIO_s_mem())}, key_text{BIO_new(BIO_s_mem())};
    PEM_write_bio_X509(certificate_text.get(), made.get());
    PEM_write_bio_PrivateKey(key_text.get(), pair.get(), nullptr, nullptr, 0, nullptr, nullptr);
    certificate_pem = detail::text_of(certificate_text);
    key_pem = detail::text_of(key_text);
  }
  std::string certificate_pem, key_pem;
};

}  // namespace bench::tls
