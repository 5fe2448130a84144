// Requests are told apart by their names, and replies are the first one, byte by byte.
#include <bench/load/conversation/http.hpp>
#include <bench/text/failure.hpp>
#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>
#include <vector>

using namespace std::string_literals;
using bench::http_conversation;
using bench::read_http_reply;
using bench::reply_position;
using bench::service;
using bench::wrong_reply;

namespace {

const auto plain =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!"s;
constexpr std::string_view stamp = "aaaaaaaaaaaaaaaa";

std::string json_for(std::string_view name) {
  return "HTTP/1.1 200 OK\r\ncontent-length: 39\r\n\r\n{\"message\": \"Hello, " +
         std::string{name} + "!\"}";
}

std::string request(const http_conversation& talk, std::uint32_t connection,
                    std::uint64_t sequence) {
  std::string text(talk.message_bytes(), '\0');
  talk.write(text.data(), connection, sequence);
  return text;
}

http_conversation json_talk() {
  const auto first = json_for(stamp);
  return {service::json, read_http_reply(service::json, first, stamp).value()};
}

auto saying(std::string text) {
  return [text](const wrong_reply& error) {
    BOOST_TEST_MESSAGE(error.what());
    return std::string{error.what()}.find(text) != std::string::npos;
  };
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_request_for_json_names_its_connection_and_its_number) {
  const auto talk = json_talk();
  const auto text = request(talk, 3, 17);
  BOOST_TEST(text.starts_with("GET /json/aaaaadaaaaaaaabb HTTP/1.1\r\nHost: "));
  BOOST_TEST(text.ends_with("\r\n\r\n"));
  BOOST_TEST(text != request(talk, 3, 18));
  BOOST_TEST(text != request(talk, 4, 17));
}

BOOST_AUTO_TEST_CASE(replies_may_arrive_in_pieces_of_any_size) {
  auto talk = json_talk();
  std::string stream;
  for (std::uint64_t i = 0; i < 3; ++i) stream += json_for(request(talk, 5, i).substr(10, 16));
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    reply_position at;
    int complete = 0;
    for (std::size_t i = 0; i < stream.size(); i += piece)
      complete += talk.check(at, 5, std::string_view{stream}.substr(i, piece));
    BOOST_TEST(complete == 3);
    BOOST_TEST(at.bytes_checked == stream.size());
  }
}

BOOST_AUTO_TEST_CASE(every_byte_of_a_reply_is_compared) {
  http_conversation talk{service::plaintext,
                         read_http_reply(service::plaintext, plain, "").value()};
  for (std::size_t i = 0; i < plain.size(); ++i) {
    auto spoilt = plain;
    spoilt[i] ^= 1;
    reply_position at;
    BOOST_CHECK_THROW(talk.check(at, 0, spoilt), wrong_reply);
  }
  reply_position at;
  BOOST_TEST(talk.check(at, 0, plain + plain) == 2);
}

BOOST_AUTO_TEST_CASE(a_reply_to_another_request_is_wrong) {
  auto talk = json_talk();
  reply_position at;
  BOOST_CHECK_EXCEPTION(talk.check(at, 5, json_for(request(talk, 5, 1).substr(10, 16))),
                        wrong_reply, saying("wrong reply on connection 5, message 0, reply byte"));
}

BOOST_AUTO_TEST_CASE(a_date_may_change_and_nothing_else) {
  const auto dated = [](const std::string& date) {
    return "HTTP/1.1 200 OK\r\nDate: " + date + "\r\nContent-Length: 13\r\n\r\nHello, World!";
  };
  const auto first = dated("Mon, 30 Nov 2026 20:00:00 GMT");
  http_conversation talk{service::plaintext,
                         read_http_reply(service::plaintext, first, "").value()};
  const auto later = dated("Tue, 01 Dec 2026 09:59:59 GMT");
  for (std::size_t piece = 1; piece <= later.size(); ++piece) {
    reply_position at;
    for (std::size_t i = 0; i < later.size(); i += piece)
      talk.check(at, 0, std::string_view{later}.substr(i, piece));
    BOOST_TEST(at.sequence == 1U);
  }
  auto spoilt = later;
  spoilt[later.find("GMT") + 4] = 'x';
  reply_position at;
  BOOST_CHECK_THROW(talk.check(at, 0, spoilt), wrong_reply);
}

BOOST_AUTO_TEST_CASE(a_first_reply_is_awaited_to_its_end) {
  for (std::size_t size = 0; size < plain.size(); ++size)
    BOOST_TEST(!read_http_reply(service::plaintext, plain.substr(0, size), ""), size);
  BOOST_TEST((read_http_reply(service::plaintext, plain, "")->text == plain));
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_first_reply_is_said) {
  const auto refused = [](const std::string& reply, const char* reason) {
    BOOST_CHECK_EXCEPTION(read_http_reply(service::plaintext, reply, ""), wrong_reply,
                          saying(reason));
  };
  refused("GOT:GET /plaintext", "no status 200");
  refused("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "no status 200");
  refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "no Content-Length");
  refused("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "no usable Content-Length");
  refused("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", "no usable Content-Length");
  refused("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "not the body");
  refused(plain + "x", "more than the Content-Length says");
  refused("HTTP/1.1 200 OK\r\nX: " + std::string(20000, 'x'), "no end of the headers");
  BOOST_CHECK_EXCEPTION(read_http_reply(service::json, json_for("somebody-elses-1"), stamp),
                        wrong_reply, saying("no \"Hello, aaaaaaaaaaaaaaaa!\""));
}
