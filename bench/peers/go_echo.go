// go_echo: an echo server with a goroutine per connection: go_echo PORT
package main

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"time"
)

const prefix = "GOT:"
const room = 1000

func serve(client net.Conn) {
	defer client.Close()
	buffer := make([]byte, len(prefix)+room)
	copy(buffer, prefix)
	for {
		size, err := client.Read(buffer[len(prefix):])
		if err != nil {
			return
		}
		if _, err := client.Write(buffer[:len(prefix)+size]); err != nil {
			return
		}
	}
}

func main() {
	port := 0
	if len(os.Args) == 2 {
		port, _ = strconv.Atoi(os.Args[1])
	}
	if port < 1 || port > 65535 {
		fmt.Fprintln(os.Stderr, "usage: go_echo PORT (1 to 65535)")
		os.Exit(2)
	}
	runtime.GOMAXPROCS(1) // every server has one core
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		fmt.Fprintln(os.Stderr, "go_echo:", err)
		os.Exit(1)
	}
	for {
		client, err := listener.Accept()
		if err != nil {
			time.Sleep(10 * time.Millisecond) // mostly, descriptors have run out
			continue
		}
		go serve(client)
	}
}
