package main

import (
	"testing"
	"time"
)

func exampleJournal() *journal {
	p := &pod{}
	p.Metadata.Name = "web-1"
	p.Status.StartTime = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	return newJournal(p, &container{Name: "web", Image: "registry.test/web:1"})
}

func TestLinesComeInOrderAndAreCountedAtTheirTime(t *testing.T) {
	j := exampleJournal()
	if n := j.written(j.start.Add(-time.Hour)); n != 0 {
		t.Fatalf("%d lines before the start", n)
	}
	for i := range 5000 {
		if !j.at(i + 1).After(j.at(i)) {
			t.Fatalf("line %d is not after line %d", i+1, i)
		}
		if n := j.written(j.at(i)); n != i+1 {
			t.Fatalf("%d lines when line %d was written", n, i)
		}
		if n := j.written(j.at(i).Add(-time.Nanosecond)); n != i {
			t.Fatalf("%d lines just before line %d", n, i)
		}
	}
}

func TestALineIsTheSameForEveryReaderAndOtherForOtherPods(t *testing.T) {
	j, again, other := exampleJournal(), exampleJournal(), exampleJournal()
	other.pod.Metadata.Name = "web-2"
	same := 0
	for i := range 200 {
		if j.line(i) != again.line(i) {
			t.Fatalf("line %d differs", i)
		}
		if j.line(i) == other.line(i) {
			same++
		}
	}
	if same > bootLines {
		t.Fatalf("%d lines of two pods are the same", same)
	}
}

func TestLongPodNamesBecomeHostnames(t *testing.T) {
	long := "a-name-of-a-pod-that-is-much-longer-than-the-sixty-three-bytes.that-fit"
	if got := hostname(long); len(got) > 63 || got == "" {
		t.Fatalf("%q", got)
	}
	if got := hostname("web-1"); got != "web-1" {
		t.Fatalf("%q", got)
	}
}
