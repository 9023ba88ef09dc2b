package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// restartPause is how long a process that ended is left alone before it starts again, as systemd's RestartSec of a node's
// services.
const restartPause = time.Second

// stopGrace is how long processes have to end by themselves.
const stopGrace = 5 * time.Second

// A supervisor is the first process of a process namespace: it starts processes, starts them again when they end, and reaps
// the orphans that the kernel gives it.
type supervisor struct {
	mutex    sync.Mutex
	waiting  map[int]chan syscall.WaitStatus
	stopping bool
}

func newSupervisor() *supervisor {
	starting := &supervisor{waiting: map[int]chan syscall.WaitStatus{}}
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	go func() {
		for range children {
			starting.reap()
		}
	}()
	return starting
}

func (all *supervisor) reap() {
	all.mutex.Lock()
	defer all.mutex.Unlock()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if pid <= 0 || err != nil {
			return
		}
		if ended, ok := all.waiting[pid]; ok {
			delete(all.waiting, pid)
			ended <- status
		}
	}
}

// start starts a process; what it returns delivers how the process ended.
func (all *supervisor) start(command []string, attributes *os.ProcAttr) (int, <-chan syscall.WaitStatus, error) {
	all.mutex.Lock()
	defer all.mutex.Unlock()
	process, err := os.StartProcess(command[0], command, attributes)
	if err != nil {
		return 0, nil, err
	}
	ended := make(chan syscall.WaitStatus, 1)
	all.waiting[process.Pid] = ended
	return process.Pid, ended, nil
}

// do runs a command to its end.
func (all *supervisor) do(command ...string) error {
	output, input, err := os.Pipe()
	if err != nil {
		return err
	}
	defer output.Close()
	path, err := lookPath(command[0])
	if err != nil {
		_ = input.Close()
		return err
	}
	attributes := &os.ProcAttr{Env: os.Environ(), Files: []*os.File{nil, input, input}}
	_, ended, err := all.start(append([]string{path}, command[1:]...), attributes)
	_ = input.Close()
	if err != nil {
		return err
	}
	said := make([]byte, 4096)
	length, _ := output.Read(said)
	if status := <-ended; status.ExitStatus() != 0 {
		return fmt.Errorf("%v: status %d: %s", command, status.ExitStatus(), said[:max(length, 0)])
	}
	return nil
}

// keep keeps a process running.
func (all *supervisor) keep(process processPlan) error {
	path, err := lookPath(process.Command[0])
	if err != nil {
		return fmt.Errorf("%s: %w", process.Name, err)
	}
	if err := os.MkdirAll(filepath.Dir(process.LogFile), 0o755); err != nil {
		return err
	}
	environment := []string{"PATH=" + os.Getenv("PATH"), "HOME=/root"}
	for key, value := range process.Environment {
		environment = append(environment, key+"="+value)
	}
	go func() {
		for {
			log, err := os.OpenFile(process.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
			if err != nil {
				fmt.Fprintf(os.Stderr, "home: the log of %s: %v\n", process.Name, err)
				time.Sleep(restartPause)
				continue
			}
			attributes := &os.ProcAttr{Env: environment, Dir: "/", Files: []*os.File{nil, log, log}}
			pid, ended, err := all.start(append([]string{path}, process.Command[1:]...), attributes)
			if err == nil {
				status := <-ended
				if !all.isStopping() {
					fmt.Fprintf(log, "home: %s (process %d) ended with status %d, signal %d; it starts again\n",
						process.Name, pid, status.ExitStatus(), status.Signal())
				}
			} else {
				fmt.Fprintf(log, "home: %s does not start: %v\n", process.Name, err)
			}
			_ = log.Close()
			if all.isStopping() {
				return
			}
			time.Sleep(restartPause)
		}
	}()
	return nil
}

func (all *supervisor) isStopping() bool {
	all.mutex.Lock()
	defer all.mutex.Unlock()
	return all.stopping
}

// stop ends what was started, first kindly. What these processes started themselves ends with the namespace.
func (all *supervisor) stop(grace time.Duration) {
	all.mutex.Lock()
	all.stopping = true
	for pid := range all.waiting {
		_ = syscall.Kill(pid, syscall.SIGTERM)
	}
	all.mutex.Unlock()
	for deadline := time.Now().Add(grace); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		all.mutex.Lock()
		left := len(all.waiting)
		all.mutex.Unlock()
		if left == 0 {
			return
		}
	}
}

// untilTold waits for the order to end.
func untilTold() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	<-signals
}

func lookPath(name string) (string, error) {
	if filepath.IsAbs(name) {
		return name, nil
	}
	for _, folder := range filepath.SplitList(os.Getenv("PATH")) {
		path := filepath.Join(folder, name)
		if info, err := os.Stat(path); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("there is no program %s in %s", name, os.Getenv("PATH"))
}
