// What franz-go does of ../protocol.md; this file has the conversation.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
)

type topicSpec struct {
	Name              string            `json:"name"`
	Partitions        int32             `json:"partitions"`
	ReplicationFactor int16             `json:"replicationFactor"`
	Configs           map[string]string `json:"configs"`
}

type producerSettings struct {
	Acks        string `json:"acks"`
	Compression string `json:"compression"`
	Idempotent  bool   `json:"idempotent"`
}

// A name and a value, as a list of two.
type header struct {
	name  string
	value []byte
}

func (h header) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{h.name, h.value})
}

func (h *header) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&h.name, &h.value})
}

type record struct {
	Topic     string   `json:"topic"`
	Partition int32    `json:"partition"`
	Offset    int64    `json:"offset"`
	Key       []byte   `json:"key"`
	Value     []byte   `json:"value"`
	Headers   []header `json:"headers"`
	Timestamp *int64   `json:"timestamp"`
}

// All that a request may have beside its id.
type request struct {
	ID         int64             `json:"id"`
	Op         string            `json:"op"`
	Topics     []json.RawMessage `json:"topics"`
	Topic      string            `json:"topic"`
	Partitions int32             `json:"partitions"`
	Count      int               `json:"count"`
	Producer   producerSettings  `json:"producer"`
	Records    []record          `json:"records"`
	Load       string            `json:"load"`
	Member     string            `json:"member"`
	Group      string            `json:"group"`
	Protocol   string            `json:"protocol"`
	Isolation  string            `json:"isolation"`
	// Of a producer, and of the member whose offsets it sends.
	TransactionalID string `json:"transactionalId"`
	Outcome         string `json:"outcome"`
}

type object = map[string]any

var (
	telling sync.Mutex
	out     = json.NewEncoder(os.Stdout)
)

func tell(line object) {
	telling.Lock()
	defer telling.Unlock()
	out.Encode(line)
}

// The elements of `topics`: names in some requests, objects in another.
func decoded[T any](raw []json.RawMessage) ([]T, error) {
	list := make([]T, len(raw))
	for i := range raw {
		if err := json.Unmarshal(raw[i], &list[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (d *driver) perform(r request) (object, error) {
	switch r.Op {
	case "createTopics":
		topics, err := decoded[topicSpec](r.Topics)
		if err != nil {
			return nil, err
		}
		return object{}, d.createTopics(topics)
	case "listTopics":
		names, err := d.listTopics()
		return object{"topics": names}, err
	case "deleteTopics":
		names, err := decoded[string](r.Topics)
		if err != nil {
			return nil, err
		}
		return object{}, d.deleteTopics(names)
	case "produce":
		offsets, err := d.produce(r.Producer, r.Records)
		return object{"offsets": offsets}, err
	case "read":
		records, err := d.read(r.Topic, r.Partitions, r.Count, r.Isolation)
		return object{"records": records}, err
	case "start":
		return object{}, d.start(r.Load, r.Producer, r.Topic, r.Partitions)
	case "stop":
		return d.stop(r.Load), nil
	case "join":
		topics, err := decoded[string](r.Topics)
		if err != nil {
			return nil, err
		}
		return object{}, d.join(r, topics)
	case "commit":
		return object{}, d.commit(r.Member)
	case "leave":
		return object{}, d.leave(r.Member)
	case "init":
		return object{}, d.initTransactional(r.TransactionalID)
	case "begin", "send", "sendOffsets", "end":
		return object{}, d.transact(r)
	}
	return nil, fmt.Errorf("no operation '%s'", r.Op)
}

func (d *driver) answer(r request) {
	result, err := d.perform(r)
	if err == nil {
		tell(object{"id": r.ID, "result": result})
		return
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n", r.Op, err)
	var code any
	var refused *kerr.Error
	if errors.As(err, &refused) {
		code = refused.Code
	}
	tell(object{"id": r.ID, "error": object{"code": code, "message": err.Error()}})
}

func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/twmb/franz-go" {
			return strings.TrimPrefix(module.Version, "v")
		}
	}
	return "unknown"
}

func main() {
	d := newDriver(strings.Split(os.Args[len(os.Args)-1], ","))
	tell(object{"client": "franz-go", "version": version(), "engine": "own"})
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go d.answer(r)
	}
	d.close()
}
