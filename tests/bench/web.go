// SPDX-License-Identifier: GPL-2.0-or-later
// web.go: web PORT [CERTIFICATE KEY]: a server of net/http that answers with 500 bytes.
package main

import (
	"bytes"
	"log"
	"net/http"
	"os"
)

func main() {
	text := bytes.Repeat([]byte("x"), 500)
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { w.Write(text) })
	if len(os.Args) > 3 {
		log.Fatal(http.ListenAndServeTLS("127.0.0.1:"+os.Args[1], os.Args[2], os.Args[3], nil))
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
