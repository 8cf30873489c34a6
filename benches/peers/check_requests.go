// Parses and checks certification requests as kube-apiserver does, on one core: the peer of
// benches/verify.rs. Reads base64 DER, one request a line, and prints nanoseconds for `rounds`
// passes over all of them.
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"log"
	"os"
	"runtime"
	"strconv"
	"time"
)

func main() {
	runtime.GOMAXPROCS(1)
	rounds, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var requests [][]byte
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		der, err := base64.StdEncoding.DecodeString(lines.Text())
		if err != nil {
			log.Fatal(err)
		}
		requests = append(requests, der)
	}
	start := time.Now()
	for i := 0; i < rounds; i++ {
		for _, der := range requests {
			request, err := x509.ParseCertificateRequest(der)
			if err != nil {
				log.Fatal(err)
			}
			if err := request.CheckSignature(); err != nil {
				log.Fatal(err)
			}
		}
	}
	fmt.Println(time.Since(start).Nanoseconds())
}
