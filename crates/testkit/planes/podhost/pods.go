package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log"
	"net/http"
	"net/url"
	"time"
)

var errNoPod = errors.New("no such pod")

// The few fields of a pod that matter here.
type pod struct {
	Metadata struct {
		Name              string     `json:"name"`
		Namespace         string     `json:"namespace"`
		UID               string     `json:"uid"`
		ResourceVersion   string     `json:"resourceVersion"`
		DeletionTimestamp *time.Time `json:"deletionTimestamp"`
	} `json:"metadata"`
	Spec struct {
		NodeName            string      `json:"nodeName"`
		Containers          []container `json:"containers"`
		EphemeralContainers []container `json:"ephemeralContainers"`
	} `json:"spec"`
	Status struct {
		StartTime time.Time `json:"startTime"`
	} `json:"status"`
}

type container struct {
	Name    string   `json:"name"`
	Image   string   `json:"image"`
	Command []string `json:"command"`
	Args    []string `json:"args"`
	Stdin   bool     `json:"stdin"`
	TTY     bool     `json:"tty"`
	Env     []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"env"`
	Ports []struct {
		ContainerPort int32 `json:"containerPort"`
	} `json:"ports"`
}

func (p *pod) container(name string) *container {
	for _, all := range [][]container{p.Spec.Containers, p.Spec.EphemeralContainers} {
		for i := range all {
			if all[i].Name == name {
				return &all[i]
			}
		}
	}
	return nil
}

// podReader asks the API server about pods, and gives those without a node one.
type podReader struct {
	server string
	client *http.Client
	bound  int
}

func newPodReader(server string, roots *x509.CertPool, credential tls.Certificate) *podReader {
	return &podReader{server: server, client: &http.Client{Transport: &http.Transport{
		TLSClientConfig:       &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{credential}},
		ForceAttemptHTTP2:     true,
		ResponseHeaderTimeout: 10 * time.Second,
	}}}
}

// call asks for path and, on success, returns the open body.
func (r *podReader) call(ctx context.Context, method, path string, body any) (io.ReadCloser, error) {
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		sent = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.server+path, sent)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 {
		said, _ := io.ReadAll(io.LimitReader(resp.Body, 2048))
		resp.Body.Close()
		if resp.StatusCode == http.StatusNotFound {
			return nil, errNoPod
		}
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, said)
	}
	return resp.Body, nil
}

func (r *podReader) get(ctx context.Context, namespace, name string) (*pod, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	path := "/api/v1/namespaces/" + url.PathEscape(namespace) + "/pods/" + url.PathEscape(name)
	body, err := r.call(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, fmt.Errorf("pod %s/%s: %w", namespace, name, err)
	}
	defer body.Close()
	found := &pod{}
	return found, json.NewDecoder(body).Decode(found)
}

// bindForever gives every pod without a node one, for as long as the process lives: what a scheduler is for, less the
// thinking. An API server that is down for a while is asked again.
func (r *podReader) bindForever() {
	for {
		if err := r.bindAll(); err != nil {
			log.Printf("binding pods: %v", err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// bindAll binds what is there and what comes, until the watch ends.
func (r *podReader) bindAll() error {
	const unbound = "/api/v1/pods?fieldSelector=spec.nodeName%3D"
	// A half-open connection ends with the watch's own timeout, plus a little.
	ctx, cancel := context.WithTimeout(context.Background(), 330*time.Second)
	defer cancel()
	body, err := r.call(ctx, http.MethodGet, unbound, nil)
	if err != nil {
		return err
	}
	var list struct {
		Metadata struct {
			ResourceVersion string `json:"resourceVersion"`
		} `json:"metadata"`
		Items []pod `json:"items"`
	}
	err = json.NewDecoder(body).Decode(&list)
	body.Close()
	if err != nil {
		return err
	}
	for i := range list.Items {
		r.bind(ctx, &list.Items[i])
	}
	body, err = r.call(ctx, http.MethodGet,
		unbound+"&watch=true&timeoutSeconds=300&resourceVersion="+url.QueryEscape(list.Metadata.ResourceVersion), nil)
	if err != nil {
		return err
	}
	defer body.Close()
	events := json.NewDecoder(bufio.NewReader(body))
	for {
		var event struct {
			Type   string `json:"type"`
			Object pod    `json:"object"`
		}
		if err := events.Decode(&event); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		switch event.Type {
		case "ADDED", "MODIFIED":
			r.bind(ctx, &event.Object)
		case "ERROR":
			return errors.New("the watch is too old")
		}
	}
}

func (r *podReader) bind(ctx context.Context, p *pod) {
	if p.Spec.NodeName != "" || p.Metadata.DeletionTimestamp != nil {
		return
	}
	node := nodes[r.bound%len(nodes)]
	r.bound++
	path := "/api/v1/namespaces/" + p.Metadata.Namespace + "/pods/" + p.Metadata.Name + "/binding"
	body, err := r.call(ctx, http.MethodPost, path, map[string]any{
		"apiVersion": "v1",
		"kind":       "Binding",
		"metadata":   map[string]any{"name": p.Metadata.Name, "namespace": p.Metadata.Namespace},
		"target":     map[string]any{"apiVersion": "v1", "kind": "Node", "name": node},
	})
	if err != nil {
		log.Printf("bind pod %s/%s to %s: %v", p.Metadata.Namespace, p.Metadata.Name, node, err)
		return
	}
	body.Close()
}

// The nodes the harness makes, taken in turn.
var nodes = []string{"node-a", "node-b"}

func hash(parts ...string) uint64 {
	sum := fnv.New64a()
	for _, part := range parts {
		io.WriteString(sum, part)
		sum.Write([]byte{0})
	}
	return sum.Sum64()
}
