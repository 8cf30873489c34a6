// Makes certification requests with crypto/x509 on one core: a peer of benches/requests.rs. Takes
// the number of rounds and the groups, reads a PKCS#8 key in PEM, and prints nanoseconds for all
// rounds.
package main

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
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
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		log.Fatal(err)
	}
	template := &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: "alice", Organization: os.Args[2:]},
	}
	start := time.Now()
	for i := 0; i < rounds; i++ {
		if _, err := x509.CreateCertificateRequest(rand.Reader, template, key); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(time.Since(start).Nanoseconds())
}
