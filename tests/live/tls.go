// SPDX-License-Identifier: GPL-2.0-or-later
// tls.go: HTTP inside Go's crypto/tls, by programs that know what they did.
//
//	tls serve PROTOCOLS [BACKEND]   a server (h2, http/1.1), of /via/... by asking BACKEND
//	tls ask                         lines of stdin: URL PROTOCOL GOROUTINES TIMES
//
// Each answers a line of stdin with one of JSON: {"GET /ok 200": 3, ...}, since the last one.
package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"sync"
	"time"
)

var (
	lock sync.Mutex
	done = map[string]int{}
)

func count(what string) {
	lock.Lock()
	done[what]++
	lock.Unlock()
}

func tell() {
	lock.Lock()
	defer lock.Unlock()
	text, _ := json.Marshal(done)
	done = map[string]int{}
	fmt.Println(string(text))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func certificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	t := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(48 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	check(err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func client(protocol string) *http.Client {
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: true},
		MaxIdleConnsPerHost: 100, ForceAttemptHTTP2: protocol == "h2"}}
}

// ---- the server ----

var answers = map[string]struct{ status, size int }{
	"/ok": {200, 2}, "/big": {200, 300_000}, "/no": {404, 10}, "/bad": {500, 0}, "/post": {201, 1}, "/warm": {200, 1},
}

func answer(w http.ResponseWriter, r *http.Request) {
	a := answers[r.URL.Path]
	n, _ := io.Copy(io.Discard, r.Body)
	if r.Method == "POST" && n != 100_000 {
		a.status = 400
	}
	count(fmt.Sprintf("%s %s %d", r.Method, r.URL.Path, a.status))
	w.WriteHeader(a.status)
	w.Write(bytes.Repeat([]byte("x"), a.size))
}

func serve(protocols, backend string) {
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{certificate()}, NextProtos: strings.Split(protocols, ",")})
	check(err)
	behind := client("h1")
	http.HandleFunc("/via/", func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(r.URL.Path, "/via")
		a, err := behind.Get(backend + path)
		check(err)
		defer a.Body.Close()
		count(fmt.Sprintf("%s /via%s %d", r.Method, path, a.StatusCode))
		w.WriteHeader(a.StatusCode)
		io.Copy(w, a.Body)
	})
	http.HandleFunc("/", answer)
	fmt.Println(l.Addr())
	go http.Serve(l, nil)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		tell()
	}
}

// ---- the client ----

func request(c *http.Client, url string) {
	method, body := "GET", io.Reader(nil)
	if strings.HasSuffix(url, "/post") {
		method, body = "POST", bytes.NewReader(make([]byte, 100_000))
	}
	r, err := http.NewRequest(method, url, body)
	check(err)
	trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { count("from " + i.Conn.LocalAddr().String()) }}
	a, err := c.Do(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	check(err)
	_, err = io.Copy(io.Discard, a.Body)
	check(err)
	a.Body.Close()
	count(fmt.Sprintf("%s %s %d", method, r.URL.Path, a.StatusCode))
}

func ask(urls []string, protocol string, goroutines, times int) {
	var group sync.WaitGroup
	c := client(protocol)
	for i := 0; i < goroutines; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for k := 0; k < times; k++ {
				request(c, urls[k%len(urls)])
			}
		}()
	}
	group.Wait()
	tell()
	c.CloseIdleConnections()
}

func main() {
	log.SetOutput(os.Stderr)
	if os.Args[1] == "serve" {
		serve(os.Args[2], strings.Join(os.Args[3:], ""))
		return
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var urls, protocol string
		var goroutines, times int
		_, err := fmt.Sscan(in.Text(), &urls, &protocol, &goroutines, &times)
		check(err)
		ask(strings.Split(urls, ","), protocol, goroutines, times)
	}
}
