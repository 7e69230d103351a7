// A client of solver-service in C++, with Debian's libcapnp.
//
//   client unix PATH ID            connects to a socket; ID in hexadecimal digits
//   client child ID PROGRAM ...    starts a program with one end of a pair of sockets as its standard input
//
// The request comes from standard input, the response goes to standard output, the log to standard error.

#include <capnp/message.h>
#include <capnp/rpc-twoparty.h>
#include <capnp/rpc.h>
#include <kj/async-io.h>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <string>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "solver.capnp.h"

class LogImpl final : public Log::Server {
public:
  kj::Promise<void> write(WriteContext context) override {
    std::cerr << context.getParams().getMsg().cStr();
    return kj::READY_NOW;
  }
};

static std::string unhex(const char *text) {
  std::string bytes;
  for (; text[0] && text[1]; text += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(text, 2), nullptr, 16)));
  }
  return bytes;
}

int main(int argc, char **argv) {
  if (argc < 4) {
    return 2;
  }
  std::string request(std::istreambuf_iterator<char>(std::cin), {});
  auto io = kj::setupAsyncIo();
  kj::Own<kj::AsyncIoStream> stream;
  std::string id;
  pid_t child = -1;
  if (std::string(argv[1]) == "unix") {
    auto &network = io.provider->getNetwork();
    auto address = network.parseAddress(kj::str("unix:", argv[2])).wait(io.waitScope);
    stream = address->connect().wait(io.waitScope);
    id = unhex(argv[3]);
  } else {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
      return 3;
    }
    child = fork();
    if (child == 0) {
      dup2(ends[1], 0);
      execvp(argv[3], argv + 3);
      _exit(127);
    }
    close(ends[1]);
    stream = io.lowLevelProvider->wrapSocketFd(ends[0], kj::LowLevelAsyncIoProvider::TAKE_OWNERSHIP |
                                                            kj::LowLevelAsyncIoProvider::ALREADY_CLOEXEC);
    id = unhex(argv[2]);
  }
  {
    capnp::TwoPartyVatNetwork network(*stream, capnp::rpc::twoparty::Side::CLIENT);
    auto rpc = capnp::makeRpcClient(network);
    capnp::MallocMessageBuilder names;
    auto vat = names.getRoot<capnp::rpc::twoparty::VatId>();
    vat.setSide(capnp::rpc::twoparty::Side::SERVER);
    capnp::MallocMessageBuilder object;
    object.getRoot<capnp::AnyPointer>().setAs<capnp::Text>(capnp::Text::Reader(id.data(), id.size()));
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    auto solver = rpc.restore(vat.asReader(), object.getRoot<capnp::AnyPointer>().asReader()).castAs<Solver>();
    auto call = solver.solveRequest();
    call.setRequest(request);
    call.setLog(kj::heap<LogImpl>());
    auto response = call.send().wait(io.waitScope);
    std::cout << response.getResponse().cStr() << std::endl;
  }
  stream = nullptr;
  if (child > 0) {
    int status = 0;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  }
  return 0;
}
