package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/creack/pty"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

// sandbox holds what all pods share: a folder of busybox' commands, GNU tar and the libraries tar needs.
type sandbox struct {
	dir  string
	libs []string
}

// newSandbox lays the shared folder out under dir and tries it, so that a machine that can't do it says so at start.
func newSandbox(dir string) (*sandbox, error) {
	b := &sandbox{dir: dir}
	bin := filepath.Join(dir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return nil, err
	}
	for program, debian := range map[string]string{"bwrap": "bubblewrap", "busybox": "busybox-static", "tar": "tar", "ldd": "libc-bin"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, fmt.Errorf("%s is missing: install the Debian package %s", program, debian)
		}
	}
	busybox, _ := exec.LookPath("busybox")
	if err := copyFile(busybox, filepath.Join(bin, "busybox")); err != nil {
		return nil, err
	}
	list, err := exec.Command(busybox, "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("busybox --list: %w", err)
	}
	for _, applet := range strings.Fields(string(list)) {
		if applet != "tar" && applet != "busybox" {
			if err := os.Symlink("busybox", filepath.Join(bin, applet)); err != nil {
				return nil, err
			}
		}
	}
	// kubectl cp passes options that busybox' tar does not know.
	tar, _ := exec.LookPath("tar")
	if err := copyFile(tar, filepath.Join(bin, "tar")); err != nil {
		return nil, err
	}
	if b.libs, err = libraries(tar); err != nil {
		return nil, err
	}
	try := filepath.Join(dir, "try")
	if err := os.MkdirAll(try, 0o755); err != nil {
		return nil, err
	}
	out, err := exec.Command("bwrap", b.args(try, "try", nil, []string{"tar", "--version"})...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("bubblewrap can't run a command here: %w: %s (busybox must be the static one: Debian package busybox-static)",
			err, bytes.TrimSpace(out))
	}
	return b, os.RemoveAll(try)
}

var absolute = regexp.MustCompile(`(/\S+) \(0x`)

// libraries lists the shared objects a program needs, none if it is static.
func libraries(program string) ([]string, error) {
	out, err := exec.Command("ldd", program).CombinedOutput()
	if err != nil && !bytes.Contains(out, []byte("not a dynamic executable")) {
		return nil, fmt.Errorf("ldd %s: %w: %s", program, err, out)
	}
	var libs []string
	for _, found := range absolute.FindAllSubmatch(out, -1) {
		libs = append(libs, string(found[1]))
	}
	return libs, nil
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o755)
}

// args of bubblewrap: root is the container's own writable folder, everything else of the machine is out of reach.
func (b *sandbox) args(root, hostname string, env, command []string) []string {
	args := []string{
		"--die-with-parent", "--unshare-user-try", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net",
		"--unshare-cgroup-try", "--cap-drop", "ALL", "--hostname", hostname, "--clearenv",
		"--setenv", "PATH", "/bin", "--setenv", "HOME", "/root", "--setenv", "HOSTNAME", hostname, "--setenv", "TERM", "xterm",
		"--bind", root, "/", "--ro-bind", filepath.Join(b.dir, "bin"), "/bin", "--proc", "/proc", "--dev", "/dev", "--chdir", "/",
	}
	if os.Getuid() != 0 {
		args = append(args, "--uid", "0", "--gid", "0")
	}
	for _, lib := range b.libs {
		args = append(args, "--ro-bind", lib, lib)
	}
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		args = append(args, "--setenv", name, value)
	}
	// The shell finds the command or says that it is missing, with 127 as people know it.
	return append(append(args, "--", "/bin/sh", "-c", `exec "$0" "$@"`), command...)
}

// root of a container: writable, the same for every command in it, made on first use.
func (b *sandbox) root(p *pod, c *container) (string, error) {
	root := filepath.Join(b.dir, "containers", p.Metadata.UID, c.Name)
	for _, dir := range []string{"tmp", "root", "etc", "data", "var/log"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o777); err != nil {
			return "", err
		}
	}
	for name, content := range map[string]string{
		"etc/hostname":   p.Metadata.Name + "\n",
		"etc/passwd":     "root:x:0:0:root:/root:/bin/sh\n",
		"etc/group":      "root:x:0:\n",
		"etc/os-release": "NAME=\"simulated\"\nID=simulated\nPRETTY_NAME=\"simulated container " + c.Image + "\"\n",
	} {
		file, err := os.OpenFile(filepath.Join(root, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, os.ErrExist) {
			continue
		} else if err != nil {
			return "", err
		}
		io.WriteString(file, content)
		file.Close()
	}
	return root, nil
}

// running is one container that commands are run in.
type running struct {
	box *sandbox
	pod *pod
	one *container
}

func (r *running) command(ctx context.Context, argv []string) (*exec.Cmd, error) {
	root, err := r.box.root(r.pod, r.one)
	if err != nil {
		return nil, err
	}
	env := []string{"POD_NAME=" + r.pod.Metadata.Name, "POD_NAMESPACE=" + r.pod.Metadata.Namespace}
	for _, one := range r.one.Env {
		env = append(env, one.Name+"="+one.Value)
	}
	cmd := exec.CommandContext(ctx, "bwrap", r.box.args(root, hostname(r.pod.Metadata.Name), env, argv)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	// A background process that holds the output open does not hold up the end.
	cmd.WaitDelay = 2 * time.Second
	return cmd, nil
}

// hostname as the kernel takes it, 64 bytes at most.
func hostname(name string) string {
	if len(name) > 63 {
		name = strings.TrimRight(name[:63], "-.")
	}
	return name
}

// ExecInContainer runs a command to its end; its exit code travels as a CodeExitError.
func (r *running) ExecInContainer(ctx context.Context, _, _, _ string, argv []string, in io.Reader, out, errs io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize, _ time.Duration) error {
	// The request's context ends when the handler does, not before: a hijacked connection has no other.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd, err := r.command(ctx, argv)
	if err != nil {
		return err
	}
	if tty {
		return withTTY(cmd, cancel, in, out, resize)
	}
	// resize never comes without a TTY, but the channel must not block its sender.
	go drain(resize)
	if out != nil {
		cmd.Stdout = &untilBroken{out, cancel}
	}
	if errs != nil {
		cmd.Stderr = &untilBroken{errs, cancel}
	}
	// A pipe of our own: with cmd.Stdin = in, Wait would wait for the client to close its end.
	if in != nil {
		pipe, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		go func() {
			io.Copy(pipe, in)
			pipe.Close()
		}()
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	return exitCode(cmd.Wait())
}

func withTTY(cmd *exec.Cmd, cancel func(), in io.Reader, out io.Writer, resize <-chan remotecommand.TerminalSize) error {
	terminal, err := pty.Start(cmd)
	if err != nil {
		return err
	}
	defer terminal.Close()
	go func() {
		for size := range resize {
			pty.Setsize(terminal, &pty.Winsize{Rows: size.Height, Cols: size.Width})
		}
	}()
	if in != nil {
		go func() {
			io.Copy(terminal, in)
			// The client is gone: a terminal that is hung up takes what runs in it along.
			cancel()
		}()
	}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		if out == nil {
			out = io.Discard
		}
		io.Copy(&untilBroken{out, cancel}, terminal)
	}()
	err = cmd.Wait()
	// What the command said last is still in the terminal.
	select {
	case <-copied:
	case <-time.After(time.Second):
	}
	return exitCode(err)
}

// untilBroken ends the command when the client no longer takes its output.
type untilBroken struct {
	io.Writer
	cancel func()
}

func (u *untilBroken) Write(p []byte) (int, error) {
	n, err := u.Writer.Write(p)
	if err != nil {
		u.cancel()
	}
	return n, err
}

func drain(resize <-chan remotecommand.TerminalSize) {
	for range resize {
	}
}

func exitCode(err error) error {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	code := exit.ExitCode()
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		code = 128 + int(status.Signal())
	}
	return utilexec.CodeExitError{Err: fmt.Errorf("exit code %d", code), Code: code}
}
