package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A member of a group, and what it has.
type member struct {
	name   string
	client *kgo.Client
	poll   func(context.Context) kgo.Fetches
	ended  chan struct{}
	mutex  sync.Mutex
	has    map[string]map[int32]bool
	told   string
}

func newMember(name string) *member {
	return &member{name: name, ended: make(chan struct{}), has: map[string]map[int32]bool{}}
}

func (m *member) options(group, protocol string, topics []string) []kgo.Opt {
	opts := []kgo.Opt{
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(topics...),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		kgo.OnPartitionsAssigned(m.changed(true)),
		kgo.OnPartitionsRevoked(m.changed(false)),
		kgo.OnPartitionsLost(m.changed(false)),
	}
	if protocol == "consumer" {
		// With its own default, the cooperative-sticky one, it stays with the classic protocol.
		return append(opts, kgo.ServerSideBalancer(), kgo.Balancers(kgo.RangeBalancer()))
	}
	return append(opts, kgo.HeartbeatInterval(200*time.Millisecond), kgo.SessionTimeout(6*time.Second))
}

func (m *member) changed(gained bool) func(context.Context, *kgo.Client, map[string][]int32) {
	return func(_ context.Context, _ *kgo.Client, changes map[string][]int32) {
		m.mutex.Lock()
		defer m.mutex.Unlock()
		for topic, partitions := range changes {
			if m.has[topic] == nil {
				m.has[topic] = map[int32]bool{}
			}
			for _, partition := range partitions {
				if gained {
					m.has[topic][partition] = true
				} else {
					delete(m.has[topic], partition)
				}
			}
		}
		m.tellAssigned()
	}
}

// After a change, once: each attempt to reach a coordinator that is gone repeats what is assigned.
func (m *member) tellAssigned() {
	all := [][]any{}
	for topic, partitions := range m.has {
		for _, partition := range slices.Sorted(maps.Keys(partitions)) {
			all = append(all, []any{topic, partition})
		}
	}
	if now := fmt.Sprint(all); now != m.told {
		m.told = now
		tell(object{"event": "assigned", "member": m.name, "partitions": all})
	}
}

func (m *member) run(client *kgo.Client) {
	m.client = client
	if m.poll == nil {
		m.poll = client.PollFetches
	}
	go func() {
		defer close(m.ended)
		for {
			fetches := m.poll(background)
			if fetches.IsClientClosed() {
				return
			}
			fetches.EachError(func(_ string, _ int32, err error) {
				// It tries again, whatever it was.
				fmt.Fprintf(os.Stderr, "%s: %v\n", m.name, err)
			})
			records := []record{}
			fetches.EachRecord(func(r *kgo.Record) { records = append(records, received(r)) })
			if len(records) > 0 {
				tell(object{"event": "records", "member": m.name, "records": records})
			}
		}
	}()
}

func (m *member) leave() {
	m.client.Close()
	<-m.ended
}
