package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"os"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// How to say who one is, if anybody asks.
type security struct {
	TLS *struct {
		CA   string `json:"ca"`
		Cert string `json:"cert"`
		Key  string `json:"key"`
	} `json:"tls"`
	SASL *struct {
		Mechanism string `json:"mechanism"`
		Username  string `json:"username"`
		Password  string `json:"password"`
		Token     string `json:"token"`
	} `json:"sasl"`
}

func securityOptions() []kgo.Opt {
	var said security
	if text := os.Getenv("CLIENT_SECURITY"); text != "" {
		if err := json.Unmarshal([]byte(text), &said); err != nil {
			panic(err)
		}
	}
	var opts []kgo.Opt
	if said.TLS != nil {
		config := &tls.Config{RootCAs: x509.NewCertPool()}
		config.RootCAs.AppendCertsFromPEM([]byte(said.TLS.CA))
		if said.TLS.Cert != "" {
			pair, err := tls.X509KeyPair([]byte(said.TLS.Cert), []byte(said.TLS.Key))
			if err != nil {
				panic(err)
			}
			config.Certificates = []tls.Certificate{pair}
		}
		opts = append(opts, kgo.DialTLSConfig(config))
	}
	if said.SASL != nil {
		opts = append(opts, kgo.SASL(said.mechanism()))
	}
	return opts
}

func (said security) mechanism() sasl.Mechanism {
	user, password := said.SASL.Username, said.SASL.Password
	switch said.SASL.Mechanism {
	case "PLAIN":
		return plain.Auth{User: user, Pass: password}.AsMechanism()
	case "SCRAM-SHA-256":
		return scram.Auth{User: user, Pass: password}.AsSha256Mechanism()
	case "SCRAM-SHA-512":
		return scram.Auth{User: user, Pass: password}.AsSha512Mechanism()
	}
	return oauth.Oauth(func(context.Context) (oauth.Auth, error) { return oauth.Auth{Token: said.SASL.Token}, nil })
}
