package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

// A container writes these many lines as it starts, then about one a second for as long as it runs. Line i of a
// container is always the same, at the same time, whoever asks and however often.
const bootLines = 8

// journal is the output of one container.
type journal struct {
	pod   *pod
	one   *container
	start time.Time
}

func newJournal(p *pod, c *container) *journal {
	start := p.Status.StartTime
	if start.IsZero() {
		start = time.Now().Truncate(time.Second)
	}
	return &journal{p, c, start}
}

// at is when line i was or will be written.
func (j *journal) at(i int) time.Time {
	if i < bootLines {
		return j.start.Add(time.Duration(i) * 37 * time.Millisecond)
	}
	jitter := hash(j.pod.Metadata.Name, "time", strconv.Itoa(i)) % 600
	return j.start.Add(time.Duration(i-bootLines+1)*time.Second + time.Duration(jitter)*time.Millisecond)
}

// written is the number of lines up to now.
func (j *journal) written(now time.Time) int {
	i := max(0, int(now.Sub(j.start)/time.Second)+bootLines-2)
	for i > 0 && j.at(i-1).After(now) {
		i--
	}
	for !j.at(i).After(now) {
		i++
	}
	return i
}

func (j *journal) line(i int) string {
	dice := func(what string, n uint64) uint64 {
		return hash(j.pod.Metadata.Name, j.one.Image, what, strconv.Itoa(i)) % n
	}
	when := j.at(i).UTC()
	if i < bootLines {
		boot := [bootLines]string{"starting " + j.one.Image, "loading configuration", "configuration ok",
			"connecting to its store", "store answered in " + strconv.FormatUint(3+dice("ms", 40), 10) + " ms",
			"migrations up to date", "listening on :8080", "ready"}
		return fmt.Sprintf("time=%s level=info msg=%q", when.Format(time.RFC3339Nano), boot[i])
	}
	paths := []string{"/", "/api/orders", "/api/cart", "/api/users/42", "/healthz", "/api/payments", "/static/app.js"}
	path := paths[dice("path", uint64(len(paths)))]
	status, level := 200, "info"
	switch dice("fate", 40) {
	case 0:
		status, level = 503, "error"
	case 1, 2:
		status, level = 404, "warn"
	}
	if strings.Contains(j.one.Image, "nginx") {
		return fmt.Sprintf(`10.0.%d.%d - - [%s] "GET %s HTTP/1.1" %d %d "-" "Mozilla/5.0"`, dice("net", 8), 1+dice("host", 250),
			when.Format("02/Jan/2006:15:04:05 -0700"), path, status, 180+dice("size", 9000))
	}
	return fmt.Sprintf("time=%s level=%s msg=request method=GET path=%s status=%d ms=%d", when.Format(time.RFC3339Nano), level,
		path, status, 1+dice("ms", 180))
}

// follow writes lines from number i on as they come, until the context ends or write fails.
func (j *journal) follow(ctx context.Context, i int, write func(int) error) error {
	for ; ; i++ {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(j.at(i))):
		}
		if err := write(i); err != nil {
			return err
		}
	}
}

func (h *host) logs(w http.ResponseWriter, req *http.Request) {
	found, one, ok := h.target(w, req)
	if !ok {
		return
	}
	query := req.URL.Query()
	if query.Get("previous") == "true" {
		http.Error(w, fmt.Sprintf("previous terminated container %q in pod %q not found", one.Name, found.Metadata.Name), http.StatusBadRequest)
		return
	}
	j := newJournal(found, one)
	now := time.Now()
	first, last := 0, j.written(now)
	since := time.Time{}
	if seconds, err := strconv.ParseInt(query.Get("sinceSeconds"), 10, 64); err == nil {
		since = now.Add(-time.Duration(seconds) * time.Second)
	}
	if moment, err := time.Parse(time.RFC3339, query.Get("sinceTime")); err == nil {
		since = moment
	}
	for first < last && j.at(first).Before(since) {
		first++
	}
	if tail, err := strconv.Atoi(query.Get("tailLines")); err == nil && tail >= 0 {
		first = max(first, last-tail)
	}
	left := int64(1) << 62
	if limit, err := strconv.ParseInt(query.Get("limitBytes"), 10, 64); err == nil && limit > 0 {
		left = limit
	}
	w.Header().Set("Content-Type", "text/plain")
	flush := http.NewResponseController(w)
	write := func(i int) error {
		text := j.line(i) + "\n"
		if query.Get("timestamps") == "true" {
			text = j.at(i).UTC().Format(time.RFC3339Nano) + " " + text
		}
		if int64(len(text)) > left {
			text = text[:left]
		}
		left -= int64(len(text))
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
		if left == 0 {
			return io.EOF
		}
		return nil
	}
	for i := first; i < last; i++ {
		if write(i) != nil {
			return
		}
	}
	flush.Flush()
	if query.Get("follow") == "true" {
		j.follow(req.Context(), last, func(i int) error {
			if err := write(i); err != nil {
				return err
			}
			return flush.Flush()
		})
	}
}

// AttachContainer shows what the container writes from now on. One that was started with a stdin (kubectl run -i,
// kubectl debug -i) is its command, or a shell.
func (r *running) AttachContainer(ctx context.Context, pod, uid, name string, in io.Reader, out, errs io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize) error {
	if r.one.Stdin {
		argv := append(append([]string{}, r.one.Command...), r.one.Args...)
		if len(argv) == 0 {
			argv = []string{"sh"}
		}
		err := r.ExecInContainer(ctx, pod, uid, name, argv, in, out, errs, tty, resize, 0)
		if _, ended := err.(interface{ ExitStatus() int }); ended {
			return nil
		}
		return err
	}
	go drain(resize)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if in != nil {
		go func() {
			// The container does not read; the end of the client's stdin is not the end of the attachment, but a
			// connection that breaks is.
			if _, err := io.Copy(io.Discard, in); err != nil {
				cancel()
			}
		}()
	}
	if out == nil {
		out = errs
	}
	end := "\n"
	if tty {
		end = "\r\n"
	}
	j := newJournal(r.pod, r.one)
	return j.follow(ctx, j.written(time.Now()), func(i int) error {
		_, err := io.WriteString(out, j.line(i)+end)
		return err
	})
}
