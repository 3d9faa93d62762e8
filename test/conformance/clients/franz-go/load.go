package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Between two values that a load sends to one partition.
const pace = 5 * time.Millisecond

// Values to each partition until it is stopped.
type load struct {
	name         string
	client       *kgo.Client
	topic        string
	underWay     int
	stopping     chan struct{}
	lines        sync.WaitGroup
	mutex        sync.Mutex
	acknowledged []string
	failed       []string
}

func (d *driver) start(name string, settings producerSettings, topic string, partitions int32) error {
	// Without sequence numbers only one at a time stays in order.
	l := &load{name: name, client: d.producer(settings), topic: topic, underWay: 1, stopping: make(chan struct{})}
	if settings.Idempotent {
		l.underWay = 20
	}
	l.acknowledged, l.failed = []string{}, []string{}
	d.mutex.Lock()
	d.loads[name] = l
	d.mutex.Unlock()
	for partition := range partitions {
		l.lines.Go(func() { l.line(partition) })
	}
	return nil
}

func (l *load) line(partition int32) {
	room := make(chan struct{}, l.underWay)
	for i := 0; ; i++ {
		select {
		case <-l.stopping:
			for range l.underWay {
				room <- struct{}{}
			}
			return
		case <-time.After(pace):
		}
		room <- struct{}{}
		value := fmt.Sprintf("%d:%d", partition, i)
		sent := &kgo.Record{Topic: l.topic, Partition: partition, Value: []byte(value)}
		l.client.Produce(background, sent, func(_ *kgo.Record, err error) {
			l.done(value, err)
			<-room
		})
	}
}

func (l *load) done(value string, err error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s failed: %v\n", value, err)
		l.failed = append(l.failed, value)
		return
	}
	l.acknowledged = append(l.acknowledged, value)
	tell(object{"event": "acknowledged", "load": l.name, "values": []string{value}})
}

func (l *load) stop() {
	close(l.stopping)
	l.lines.Wait()
}

func (d *driver) stop(name string) object {
	d.mutex.Lock()
	l := d.loads[name]
	delete(d.loads, name)
	d.mutex.Unlock()
	l.stop()
	return object{"acknowledged": l.acknowledged, "failed": l.failed}
}
