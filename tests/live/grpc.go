// SPDX-License-Identifier: GPL-2.0-or-later

// gRPC by grpc-go, as grpc_calls.py does: `serve [CERT KEY]` prints its port; `call PORT [tls]` opens one
// connection and does what lines on its stdin say, a line of output each: the status codes; Anew: another one;
// Begin: streams that have no end, until Stop.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
)

// Messages are bytes as they are.
type raw struct{}

func (raw) Marshal(v interface{}) ([]byte, error)      { return *v.(*[]byte), nil }
func (raw) Unmarshal(data []byte, v interface{}) error { *v.(*[]byte) = append([]byte{}, data...); return nil }
func (raw) Name() string                               { return "raw" }
func (raw) String() string                             { return "raw" }

var asked = map[string]codes.Code{"missing": codes.NotFound, "full": codes.ResourceExhausted, "down": codes.Unavailable}
var names = map[codes.Code]string{codes.OK: "OK", codes.NotFound: "NOT_FOUND", codes.ResourceExhausted: "RESOURCE_EXHAUSTED",
	codes.Unavailable: "UNAVAILABLE", codes.Unimplemented: "UNIMPLEMENTED", codes.Canceled: "CANCELLED"}

func unary(_ interface{}, _ context.Context, decode func(interface{}) error, _ grpc.UnaryServerInterceptor) (interface{}, error) {
	var in []byte
	if err := decode(&in); err != nil {
		return nil, err
	}
	if code, is := asked[string(in)]; is {
		return nil, status.Error(code, "as asked")
	}
	return &in, nil
}

func oneToMany(_ interface{}, s grpc.ServerStream) error {
	var in []byte
	if err := s.RecvMsg(&in); err != nil {
		return err
	}
	out := []byte(strings.Repeat(string(in), 1000))
	for i := 0; i < 5; i++ {
		if err := s.SendMsg(&out); err != nil {
			return err
		}
	}
	return nil
}

func manyToOne(_ interface{}, s grpc.ServerStream) error {
	for n := 0; ; n++ {
		var in []byte
		err := s.RecvMsg(&in)
		if err == io.EOF {
			out := []byte(fmt.Sprint(n))
			return s.SendMsg(&out)
		}
		if err != nil {
			return err
		}
	}
}

func manyToMany(_ interface{}, s grpc.ServerStream) error {
	for {
		var in []byte
		err := s.RecvMsg(&in)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = s.SendMsg(&in)
		}
		if err != nil {
			return err
		}
	}
}

func endless(_ interface{}, s grpc.ServerStream) error {
	var in []byte
	err := s.RecvMsg(&in)
	for ; err == nil; time.Sleep(5 * time.Millisecond) {
		err = s.SendMsg(&in)
	}
	return err
}

var streams = []grpc.StreamDesc{
	{StreamName: "OneToMany", Handler: oneToMany, ServerStreams: true},
	{StreamName: "ManyToOne", Handler: manyToOne, ClientStreams: true},
	{StreamName: "ManyToMany", Handler: manyToMany, ClientStreams: true, ServerStreams: true},
	{StreamName: "Endless", Handler: endless, ServerStreams: true},
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(files []string) {
	options := []grpc.ServerOption{grpc.CustomCodec(raw{})}
	if len(files) == 2 {
		secret, err := credentials.NewServerTLSFromFile(files[0], files[1])
		must(err)
		options = append(options, grpc.Creds(secret))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	server := grpc.NewServer(options...)
	server.RegisterService(&grpc.ServiceDesc{ServiceName: "test.Echo", HandlerType: (*interface{})(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Unary", Handler: unary}}, Streams: streams}, 0)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	must(server.Serve(listener))
}

func callStream(until context.Context, c *grpc.ClientConn, desc *grpc.StreamDesc, what []byte) error {
	s, err := c.NewStream(until, desc, "/test.Echo/"+desc.StreamName)
	if err != nil {
		return err
	}
	n := 1
	if desc.ClientStreams {
		n = 30
	}
	for i := 0; i < n; i++ {
		if err := s.SendMsg(&what); err != nil {
			return err
		}
	}
	if err := s.CloseSend(); err != nil {
		return err
	}
	for {
		var got []byte
		if err := s.RecvMsg(&got); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func callOne(until context.Context, c *grpc.ClientConn, method string, what []byte) error {
	for i := range streams {
		if streams[i].StreamName == method {
			return callStream(until, c, &streams[i], what)
		}
	}
	var got []byte
	return c.Invoke(until, "/test.Echo/"+method, &what, &got)
}

func dial(port string, secret grpc.DialOption) *grpc.ClientConn {
	c, err := grpc.Dial("127.0.0.1:"+port, secret, grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{})))
	must(err)
	return c
}

func call(port string, secret grpc.DialOption) {
	c := dial(port, secret)
	ended := make(chan string)
	var stop context.CancelFunc
	begun := 0
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var method, what string
		var n int
		fmt.Sscan(in.Text(), &method, &n, &what)
		switch method {
		case "Anew":
			c.Close()
			c = dial(port, secret)
		case "Begin":
			until, cancel := context.WithCancel(context.Background())
			stop = cancel
			for ; begun < n; begun++ {
				go func() { ended <- names[status.Code(callOne(until, c, "Endless", []byte(what)))] }()
			}
			n = 0
		case "Stop":
			for stop(); begun > 0; begun-- {
				fmt.Print(<-ended, " ")
			}
		}
		for i := 0; i < n; i++ {
			fmt.Print(names[status.Code(callOne(context.Background(), c, method, []byte(what)))], " ")
		}
		fmt.Println()
	}
}

func main() {
	if os.Args[1] == "serve" {
		serve(os.Args[2:])
	} else if len(os.Args) > 3 {
		call(os.Args[2], grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})))
	} else {
		call(os.Args[2], grpc.WithInsecure())
	}
}
