// Command podhost plays the part of every kubelet of a test control plane that streams something: exec, attach,
// port-forward and logs. kwok keeps the nodes and the pods' status; what runs inside a pod runs here, each command in
// bubblewrap on a small root of busybox and GNU tar. Simulated workloads, not containers.
//
// It serves HTTP/1.1 over TLS, takes requests from the API server's kubelet client certificate alone, gives pods a
// node (a plane has no scheduler), and ends, with everything it started, when its stdin closes.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/portforward"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

// A stream nobody uses is closed after this; kubelet's own default.
const idle = 4 * time.Hour

type host struct {
	pods *podReader
	box  *sandbox
}

func main() {
	log.SetFlags(log.Ltime | log.Lmicroseconds)
	listen := flag.String("listen", "127.0.0.1:0", "address to serve on")
	server := flag.String("server", "", "the API server, https://…")
	ca := flag.String("ca", "", "authority of the API server and of its client certificate, PEM")
	servingCert := flag.String("serving-cert", "", "own serving certificate, PEM")
	servingKey := flag.String("serving-key", "", "its key")
	clientCert := flag.String("client-cert", "", "client certificate for the API server, PEM")
	clientKey := flag.String("client-key", "", "its key")
	peer := flag.String("peer", "", "common name that requests must come from")
	dir := flag.String("dir", "", "folder for the pods' files")
	flag.Parse()

	if err := run(*listen, *server, *ca, *servingCert, *servingKey, *clientCert, *clientKey, *peer, *dir); err != nil {
		log.Fatal(err)
	}
}

func run(listen, server, ca, servingCert, servingKey, clientCert, clientKey, peer, dir string) error {
	roots := x509.NewCertPool()
	if pem, err := os.ReadFile(ca); err != nil {
		return err
	} else if !roots.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s: no certificate in it", ca)
	}
	serving, err := tls.LoadX509KeyPair(servingCert, servingKey)
	if err != nil {
		return err
	}
	client, err := tls.LoadX509KeyPair(clientCert, clientKey)
	if err != nil {
		return err
	}
	box, err := newSandbox(dir)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	h := &host{pods: newPodReader(server, roots, client), box: box}
	go h.pods.bindForever()

	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	served := &http.Server{
		Handler: h.only(peer, h.routes()),
		TLSConfig: &tls.Config{
			MinVersion:   tls.VersionTLS12,
			Certificates: []tls.Certificate{serving},
			ClientCAs:    roots,
			ClientAuth:   tls.RequireAndVerifyClientCert,
			// Upgrades need HTTP/1.1.
			NextProtos: []string{"http/1.1"},
		},
		TLSNextProto:      map[string]func(*http.Server, *tls.Conn, http.Handler){},
		ReadHeaderTimeout: 10 * time.Second,
	}
	ended := make(chan error, 1)
	go func() { ended <- served.ServeTLS(listener, "", "") }()
	parent := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(parent)
	}()
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM, syscall.SIGINT)
	select {
	case err = <-ended:
		return err
	case <-parent:
	case <-asked:
	}
	// Commands inside pods die with us: bubblewrap is told so.
	return served.Close()
}

// only lets requests through that come from the holder of a certificate named peer.
func (h *host) only(peer string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.TLS == nil || len(req.TLS.PeerCertificates) == 0 ||
			req.TLS.PeerCertificates[0].Subject.CommonName != peer {
			http.Error(w, "only the API server may ask", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, req)
	})
}

func (h *host) routes() http.Handler {
	mux := http.NewServeMux()
	// With and without the pod's UID, as a kubelet has them.
	mux.HandleFunc("/exec/{namespace}/{pod}/{container}", h.exec)
	mux.HandleFunc("/exec/{namespace}/{pod}/{uid}/{container}", h.exec)
	mux.HandleFunc("/attach/{namespace}/{pod}/{container}", h.attach)
	mux.HandleFunc("/attach/{namespace}/{pod}/{uid}/{container}", h.attach)
	mux.HandleFunc("/portForward/{namespace}/{pod}", h.portForward)
	mux.HandleFunc("/portForward/{namespace}/{pod}/{uid}", h.portForward)
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", h.logs)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })
	return mux
}

// target reads from the API server which container a request is about.
func (h *host) target(w http.ResponseWriter, req *http.Request) (*pod, *container, bool) {
	found, err := h.pods.get(req.Context(), req.PathValue("namespace"), req.PathValue("pod"))
	if err == nil {
		if name := req.PathValue("container"); name == "" {
			return found, nil, true
		} else if one := found.container(name); one != nil {
			return found, one, true
		}
		err = fmt.Errorf("container %q not found in pod %q", req.PathValue("container"), found.Metadata.Name)
	}
	status := http.StatusInternalServerError
	if errors.Is(err, errNoPod) || found != nil {
		status = http.StatusNotFound
	}
	http.Error(w, err.Error(), status)
	return nil, nil, false
}

func (h *host) exec(w http.ResponseWriter, req *http.Request) {
	found, one, ok := h.target(w, req)
	if !ok {
		return
	}
	options, err := remotecommand.NewOptions(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	command := req.URL.Query()["command"]
	if len(command) == 0 {
		http.Error(w, "no command", http.StatusBadRequest)
		return
	}
	log.Printf("exec in %s/%s/%s: %s", found.Metadata.Namespace, found.Metadata.Name, one.Name, strings.Join(command, " "))
	remotecommand.ServeExec(w, req, &running{h.box, found, one}, found.Metadata.Name, found.Metadata.UID, one.Name,
		command, options, idle, remotecommand.DefaultStreamCreationTimeout, remotecommand.SupportedStreamingProtocols)
}

func (h *host) attach(w http.ResponseWriter, req *http.Request) {
	found, one, ok := h.target(w, req)
	if !ok {
		return
	}
	options, err := remotecommand.NewOptions(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	remotecommand.ServeAttach(w, req, &running{h.box, found, one}, found.Metadata.Name, found.Metadata.UID, one.Name,
		options, idle, remotecommand.DefaultStreamCreationTimeout, remotecommand.SupportedStreamingProtocols)
}

func (h *host) portForward(w http.ResponseWriter, req *http.Request) {
	found, _, ok := h.target(w, req)
	if !ok {
		return
	}
	options, err := portforward.NewV4Options(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	portforward.ServePortForward(w, req, &forwarder{found}, found.Metadata.Name, found.Metadata.UID, options, idle,
		remotecommand.DefaultStreamCreationTimeout, portforward.SupportedProtocols)
}
