#include <algorithm>
#include <bench/server/catalogue.hpp>
#include <bench/text/command_words.hpp>
#include <bench/text/failure.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>

#include <tests/scratch_folder.hpp>
#include <tests/texts.hpp>

namespace fs = std::filesystem;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_CASE(every_side_is_known_on_every_reactor_that_it_is_built_for) {
  for (const std::string side :
       {"fibers", "floor", "asio-callback", "asio-coroutine", "asio-spawn"})
    for (const std::string io : {"select", "epoll", "io_uring"}) {
      const auto found = bench::find_server(side + '/' + io);
      BOOST_TEST(found.name == side + '/' + io);
      BOOST_TEST(found.command.find(io) != std::string::npos, found.command);
      BOOST_TEST(bench::bundled_reactor(found.name).value() == io);
      BOOST_TEST(bench::may_be_missing(found.name) == (io == "io_uring"));
    }
  BOOST_TEST(bench::find_server("fibers/poll").command ==
             "fibers_echo --quiet --io poll --idle-timeout 0s --port 0");
  BOOST_CHECK_THROW(bench::find_server("asio-callback/poll"), bench::usage_error);
  BOOST_CHECK_THROW(bench::find_server("floor/poll"), bench::usage_error);
}

// It shares no core with a loop in a duet, and no bare loop does what it does.
BOOST_AUTO_TEST_CASE(a_server_with_a_thread_per_connection_is_known_and_measured_alone) {
  const std::string name = "thread/blocking";
  BOOST_TEST(bench::find_server(name).command ==
             "thread_echo --quiet --io blocking --idle-timeout 0s --port 0");
  BOOST_TEST(bench::find_server(name + "/unix").command.ends_with(" --unix {path}"));
  BOOST_TEST(bench::reactor_of(name) == "blocking");
  BOOST_TEST(!bench::may_be_missing(name));
  BOOST_TEST(!bench::may_share_a_core(name, "fibers/epoll"));
  BOOST_TEST(!bench::floor_of(name, "fibers/epoll").has_value());
  BOOST_TEST(!bench::floor_of(name, name).has_value());
}

BOOST_AUTO_TEST_CASE(a_server_of_others_takes_a_port_and_may_be_missing) {
  for (const std::string name :
       {"libuv/epoll", "boost-fiber/epoll", "go/epoll", "node/epoll", "asyncio/epoll"}) {
    BOOST_TEST(bench::find_server(name).command.ends_with("_echo {port}"), name);
    BOOST_TEST(bench::package_of(name).has_value(), name);
    BOOST_TEST(bench::may_be_missing(name), name);
    BOOST_TEST(bench::may_be_missing("old/" + name), name);
    BOOST_TEST(bench::floor_of(name, "asio-callback/epoll").value() == "floor/epoll", name);
    for (const std::string suffix : {"/t2", "/unix", "/inject1000ns"})
      BOOST_CHECK_THROW(bench::find_server(name + suffix), bench::usage_error);
  }
  BOOST_TEST(!bench::package_of("fibers/epoll").has_value());
}

BOOST_AUTO_TEST_CASE(a_name_says_how_many_threads_in_which_shape_and_whether_it_spins) {
  const auto ends = [](const std::string& name, const std::string& options) {
    const auto command = bench::find_server(name).command;
    BOOST_TEST(command.ends_with(" --port 0" + options), command);
  };
  ends("fibers/epoll/t2", " --threads 2");
  ends("floor/io_uring/t16", " --threads 16");
  ends("asio-spawn/epoll/t2/shared", " --threads 2 --shape shared");
  ends("fibers/io_uring/spin50us", " --spin 50us");
  ends("fibers/select/t4/spin1ms", " --threads 4 --spin 1ms");
  ends("fibers/io_uring/gather200us", " --gather 200us");
  ends("floor/io_uring/t2/gatheroff/unix", " --threads 2 --gather off --unix {path}");
  ends("asio-spawn/epoll/unix", " --unix {path}");
}

BOOST_DATA_TEST_CASE(what_no_server_offers_is_no_name,
                     data::make({"fibers/epoll/t1", "fibers/epoll/t0", "fibers/epoll/t2/shared",
                                 "asio-callback/epoll/shared", "asio-callback/epoll/spin50us",
                                 "floor/epoll/spin50us", "fibers/epoll/spin", "fibers/epoll/t2/",
                                 "fibers/epoll/spin50us/t2", "asio/epoll", "fibers", "thread/epoll",
                                 "fibers/epoll/gather50us", "asio-callback/io_uring/gatheroff",
                                 "fibers/io_uring/gather", "fibers/io_uring/gather0us",
                                 "thread/blocking/t2", "thread/blocking/spin50us"}),
                     name) {
  BOOST_CHECK_EXCEPTION(bench::find_server(name), bench::usage_error, saying(name));
}

BOOST_DATA_TEST_CASE(a_name_with_a_control_character_or_another_byte_than_utf8_is_refused,
                     data::make({"my\nserver", "my\x1B[31mserver", "my\tserver", "caf\xE9",
                                 "\xC2\x9B"}),
                     name) {
  BOOST_CHECK_EXCEPTION(bench::added_servers({std::string{name} + "=./my_echo"}, {}),
                        bench::usage_error, saying("control character"));
  BOOST_CHECK_EXCEPTION(bench::added_servers({}, {std::string{name} + "=localhost:1"}),
                        bench::usage_error, saying("control character"));
  BOOST_CHECK_EXCEPTION(bench::added_servers({}, {std::string{name} + ":1"}), bench::usage_error,
                        saying("control character"));
}

// A record that is JSON could not repeat it.
BOOST_AUTO_TEST_CASE(a_command_may_have_several_lines_but_is_utf8) {
  const auto added = bench::added_servers({"mine=sh -c 'true\n./my_echo ä'"}, {});
  BOOST_TEST(added.front().command == "sh -c 'true\n./my_echo ä'");
  BOOST_CHECK_EXCEPTION(bench::added_servers({"mine=./caf\xE9"}, {}), bench::usage_error,
                        saying("UTF-8"));
}

BOOST_AUTO_TEST_CASE(the_bare_loop_rides_along_with_as_many_threads_as_both) {
  BOOST_TEST(bench::floor_of("fibers/epoll/t2", "asio-callback/epoll/t2/shared").value() ==
             "floor/epoll/t2");
  BOOST_TEST(bench::floor_of("fibers/epoll/unix", "asio-callback/epoll/unix").value() ==
             "floor/epoll/unix");
  BOOST_TEST(!bench::floor_of("fibers/epoll/unix", "fibers/epoll").has_value());
  BOOST_TEST(!bench::floor_of("fibers/epoll/t2", "fibers/epoll").has_value());
  BOOST_TEST(!bench::floor_of("fibers/poll", "fibers/poll").has_value());
}

BOOST_AUTO_TEST_CASE(a_name_of_a_million_letters_is_no_name_of_ours) {
  const auto longest = "asio-" + std::string(1'000'000, 'a') + "/epoll";
  BOOST_TEST(!bench::bundled_reactor(longest).has_value());
  BOOST_TEST(
      !bench::bundled_reactor("fibers/epoll/spin" + std::string(200, '9') + "us").has_value());
}

BOOST_AUTO_TEST_CASE(a_server_of_another_build_is_found_wherever_its_programs_stand) {
  const scratch_folder folder;
  const auto bin = folder / "a checkout" / "build" / "release" / "bin";
  fs::create_directories(bin);
  const auto program = folder.write("a checkout/build/release/bin/fibers_echo", "#!/bin/sh\n");
  fs::permissions(program, fs::perms::owner_all);
  for (const auto& build :
       {folder / "a checkout", folder / "a checkout/build/release", fs::path{bin}}) {
    const auto server = bench::older_server("fibers/select/t2", build);
    BOOST_TEST(server.name == "old/fibers/select/t2");
    const auto words = bench::split_words(server.command);
    BOOST_TEST(words.front() == program.string());
    BOOST_TEST(words.back() == "2");
    BOOST_TEST((std::find(words.begin(), words.end(), "select") != words.end()));
  }
  for (const auto* name : {"floor/epoll", "asio-callback/epoll"})
    BOOST_CHECK_EXCEPTION(bench::older_server(name, bin), bench::usage_error, saying("has no "));
  BOOST_CHECK_EXCEPTION(bench::older_server("fibers/epoll", folder / "nowhere"), bench::usage_error,
                        saying("nowhere' has no fibers_echo, neither in itself nor in bin/"));
  BOOST_CHECK_THROW(bench::older_server("mine", bin), bench::usage_error);
}

BOOST_AUTO_TEST_CASE(a_server_of_another_build_is_like_that_of_this_one) {
  BOOST_TEST(bench::reactor_of("old/fibers/select") == "select");
  BOOST_TEST(bench::bundled_reactor("old/fibers/io_uring").value() == "io_uring");
  BOOST_TEST(bench::may_be_missing("old/fibers/io_uring"));
  BOOST_TEST(bench::floor_of("old/fibers/epoll/t2", "fibers/epoll/t2").value() == "floor/epoll/t2");
  BOOST_TEST(bench::may_share_a_core("old/fibers/epoll", "fibers/epoll"));
  BOOST_TEST(!bench::may_share_a_core("old/fibers/epoll/spin50us", "fibers/epoll"));
  BOOST_TEST(!bench::may_share_a_core("fibers/io_uring", "fibers/io_uring/gatheroff"));
  BOOST_TEST(bench::may_share_a_core("fibers/io_uring", "asio-callback/io_uring"));
  BOOST_CHECK_THROW(bench::find_server("old/fibers/epoll"), bench::usage_error);
  BOOST_CHECK_EXCEPTION(bench::added_servers({"old/fibers/epoll=./mine"}, {}), bench::usage_error,
                        saying("that name is taken"));
}

BOOST_AUTO_TEST_CASE(
    for_a_stream_our_servers_receive_a_message_at_a_time_and_acknowledge_if_asked) {
  const auto echo = bench::scenario::parse("c1/64K/stream");
  const auto one_way = bench::scenario::parse("c1/64K/oneway");
  for (const std::string name : {"fibers/epoll", "asio-spawn/select", "floor/io_uring/t2"}) {
    const auto server = bench::find_server(name);
    BOOST_TEST(bench::serves(name, one_way));
    BOOST_TEST(made_for(server, bench::scenario::parse("c1/64K/d4")).command == server.command);
    BOOST_TEST(made_for(server, echo).command == server.command + " --buffer 65536");
    BOOST_TEST(made_for(server, one_way).command == server.command + " --buffer 65536 --ack 65536");
  }
  BOOST_TEST(bench::serves("old/fibers/epoll", one_way));
  const auto thread = bench::find_server("thread/blocking");
  BOOST_TEST(made_for(thread, echo).command == thread.command + " --buffer 65536");
  for (const std::string name : {"thread/blocking", "libuv/epoll", "mine", "10.0.0.1:25000"})
    BOOST_TEST(!bench::serves(name, one_way), name);
  const bench::server_info mine{"mine", "./mine --port {port}"};
  BOOST_TEST(made_for(mine, echo).command == mine.command);
}

BOOST_AUTO_TEST_CASE(a_load_that_is_no_echo_has_a_program_of_its_own) {
  const auto command = [](const char* name, const char* load) {
    return made_for(bench::find_server(name), bench::scenario::parse(load)).command;
  };
  BOOST_TEST(command("fibers/epoll", "c1/json").starts_with("fibers_http --quiet --io epoll"));
  BOOST_TEST(command("asio-coroutine/io_uring/t2", "c1/plaintext/d16")
                 .starts_with("asio_http_io_uring --quiet --style coroutine"));
  BOOST_TEST(command("floor/epoll", "c1/fields").starts_with("floor_fields --quiet"));
  BOOST_TEST(command("fibers/epoll/buffered", "c1/fields").ends_with(" --reads buffered"));
  BOOST_TEST(command("fibers/select", "c16/64/churn/tls").starts_with("fibers_tls --quiet"));
  BOOST_TEST(command("asio-callback/epoll", "c1/64K/stream/tls").ends_with(" --buffer 65536"));
  const bench::server_info older{"old/fibers/epoll", "/x_echo/fibers_echo --quiet --port 0"};
  BOOST_TEST(made_for(older, bench::scenario::parse("c1/json")).command ==
             "/x_echo/fibers_http --quiet --port 0");
}

BOOST_AUTO_TEST_CASE(not_every_server_serves_every_load) {
  const auto serves = [](const char* name, const char* load) {
    return bench::serves(name, bench::scenario::parse(load));
  };
  for (const auto* load : {"c1/json", "c1/fields", "c1/64/tls"}) {
    BOOST_TEST(serves("fibers/select", load));
    BOOST_TEST(serves("floor/io_uring", load));
    BOOST_TEST(serves("asio-coroutine/epoll", load));
    BOOST_TEST(serves("old/fibers/epoll", load));
    BOOST_TEST(serves("mine", load));
    BOOST_TEST(!serves("thread/blocking", load));
    BOOST_TEST(!serves("go/epoll", load));
    BOOST_TEST(!serves("asio-spawn/epoll", load));
  }
  BOOST_TEST(!serves("asio-callback/epoll", "c1/fields"));
  BOOST_TEST(serves("asio-coroutine/epoll/buffered", "c1/fields"));
  for (const auto* load : {"c1/64", "c1/json", "c1/64/tls"})
    BOOST_TEST(!serves("fibers/epoll/buffered", load));
  BOOST_TEST(!serves("floor/epoll/buffered", "c1/fields"));
  BOOST_TEST(serves("asio-coroutine/epoll/sparing", "c1/fields"));
  BOOST_TEST(!serves("fibers/epoll/sparing", "c1/fields"));
}
