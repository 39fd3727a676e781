package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// forwarder answers on the ports of one pod.
type forwarder struct {
	pod *pod
}

// The port that sends back what it gets (RFC 862).
const echoPort = 7

// PortForward serves one connection to a port of the pod: echo on 7, HTTP on 80, 8080 and the ports the pod declares.
func (f *forwarder) PortForward(_ context.Context, name, _ string, port int32, stream io.ReadWriteCloser) error {
	if port == echoPort {
		_, err := io.Copy(stream, stream)
		return err
	}
	open := port == 80 || port == 8080
	for _, one := range f.pod.Spec.Containers {
		for _, declared := range one.Ports {
			open = open || declared.ContainerPort == port
		}
	}
	if !open {
		return fmt.Errorf("failed to connect to localhost:%d inside pod %s: connection refused", port, name)
	}
	reader := bufio.NewReader(stream)
	for {
		req, err := http.ReadRequest(reader)
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		resp := f.answer(req, port)
		resp.Request = req
		resp.ProtoMajor, resp.ProtoMinor = 1, 1
		resp.Close = req.Close
		if err := resp.Write(stream); err != nil {
			return err
		}
		// What the answer left unread is not the next request.
		io.Copy(io.Discard, req.Body)
		if req.Close {
			return nil
		}
	}
}

func (f *forwarder) answer(req *http.Request, port int32) *http.Response {
	said := func(status int, text string) *http.Response {
		return &http.Response{
			StatusCode:    status,
			Header:        http.Header{"Content-Type": {"text/plain; charset=utf-8"}},
			ContentLength: int64(len(text)),
			Body:          io.NopCloser(strings.NewReader(text)),
		}
	}
	switch {
	case req.URL.Path == "/healthz":
		return said(http.StatusOK, "ok\n")
	case req.URL.Path == "/echo" && req.Method == http.MethodPost && req.ContentLength >= 0:
		resp := said(http.StatusOK, "")
		resp.ContentLength, resp.Body = req.ContentLength, req.Body
		return resp
	case strings.HasPrefix(req.URL.Path, "/bytes/"):
		size, err := strconv.ParseInt(strings.TrimPrefix(req.URL.Path, "/bytes/"), 10, 64)
		if err != nil || size < 0 {
			return said(http.StatusBadRequest, "how many bytes?\n")
		}
		resp := said(http.StatusOK, "")
		resp.ContentLength, resp.Body = size, io.NopCloser(io.LimitReader(&pattern{}, size))
		return resp
	case req.URL.Path == "/":
		return said(http.StatusOK, fmt.Sprintf("%s/%s says hello on port %d\n", f.pod.Metadata.Namespace, f.pod.Metadata.Name, port))
	default:
		return said(http.StatusNotFound, "nothing here\n")
	}
}

// pattern is an endless stream of bytes 0, 1, … 250, 0, …: a prime length, so that a lost block shows.
type pattern struct {
	next byte
}

func (p *pattern) Read(into []byte) (int, error) {
	for i := range into {
		into[i] = p.next
		p.next = (p.next + 1) % 251
	}
	return len(into), nil
}
