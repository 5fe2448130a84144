// routes: the requests and answers of request_form.hpp in the types of Boost.Beast.
//
//     http_exchange exchange;
//     http::read(stream, exchange.received, asked);
//     exchange.answer(asked);
//     if (exchange.is_due()) asio::write(stream, exchange.answers());
#pragma once

#include <bench/http/request_form.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <string>

namespace bench {

// Beast refuses a request with a body by an error.
using http_request = boost::beast::http::request<boost::beast::http::empty_body>;
using http_response = boost::beast::http::response<boost::beast::http::string_body>;

http_response answer_to(const http_request& asked);

// What a connection has received and not read, and has answered and not sent. A client that
// pipelines gets the answers to the requests of one receive in one send.
class http_exchange {
 public:
  http_exchange();

  void answer(const http_request& asked);

  // Whether the answers are to be sent now: there is no further request to answer before.
  bool is_due() const;
  boost::asio::const_buffer answers() const { return boost::asio::buffer(answers_); }
  void sent() { answers_.clear(); }

  bool is_last() const { return is_last_; }  // the client wants no further answer

  boost::beast::flat_buffer received;

 private:
  std::string answers_;
  bool is_last_ = false;
};

}  // namespace bench
