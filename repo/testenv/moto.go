package testenv

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
)

// moto takes the part of S3 Vectors, with what it is imported with for that.
const moto = "moto==5.2.5 Flask==3.1.3 Jinja2==3.1.6 MarkupSafe==3.0.4 PyYAML==6.0.4 Werkzeug==3.1.9 blinker==1.9.0 boto3==1.44.8 botocore==1.44.8 " +
	"certifi==2026.10.19.post1 cffi==2.1.1 charset-normalizer==3.5.3 click==8.5.1 cryptography==50.0.2 flask-cors==6.0.5 idna==3.20 " +
	"itsdangerous==2.2.0 jmespath==1.1.0 pycparser==3.12 python-dateutil==2.9.0.post0 requests==2.34.2 responses==0.26.3 s3transfer==0.19.3 " +
	"six==1.17.0 typing_extensions==4.16.0 urllib3==2.8.0 xmltodict==1.0.4"

// oneAtATime begins moto with one answer at a time: it keeps everything in dictionaries that a
// listing goes through while another thread of it writes, which then fails for both.
const oneAtATime = `
import threading
import moto.server

turn, answer = threading.Lock(), moto.server.DomainDispatcherApplication.__call__

def answer_in_turn(self, environ, start_response):
    with turn:
        return list(answer(self, environ, start_response))

moto.server.DomainDispatcherApplication.__call__ = answer_in_turn
moto.server.main()
`

// Moto is a server that answers as Amazon's services.
type Moto struct{ daemon }

// URL is the address of the server.
func (m *Moto) URL() string { return "http://" + m.address() }

var sharedMoto common[*Moto]

// SharedMoto is the server that all tests of this process have in common. Main stops it.
func SharedMoto(t testing.TB) *Moto {
	t.Helper()
	return sharedMoto.get(t, runMoto)
}

func runMoto(ctx context.Context) (*Moto, error) {
	python, err := python(ctx)
	if err != nil {
		return nil, err
	}
	install, err := Cached(ctx, "moto-"+digest([]byte(moto)), func(ctx context.Context, dir string) error {
		return pip(ctx, python, slices.Concat([]string{"--no-deps", "--target", dir}, strings.Fields(moto))...)
	})
	if err != nil {
		return nil, fmt.Errorf("install moto: %w", err)
	}
	m := &Moto{daemon{name: "moto", program: python, env: []string{"PYTHONPATH=" + install}, args: func(d *daemon) []string {
		return []string{"-c", oneAtATime, "-H", "127.0.0.1", "-p", fmt.Sprint(d.ports[0])}
	}}}
	m.ready = func(ctx context.Context) error {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", m.address())
		if err != nil {
			return err
		}
		return connection.Close()
	}
	return m, m.begin(ctx, 1)
}
