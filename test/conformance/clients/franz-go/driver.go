package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

var background = context.Background()

type driver struct {
	brokers   []string
	mutex     sync.Mutex
	producers map[producerSettings]*kgo.Client
	loads     map[string]*load
	members   map[string]*member
	// Of transactional ids.
	transactionals map[string]transactional
	admin          *kadm.Client
}

func newDriver(brokers []string) *driver {
	d := &driver{
		brokers:        brokers,
		producers:      map[producerSettings]*kgo.Client{},
		loads:          map[string]*load{},
		members:        map[string]*member{},
		transactionals: map[string]transactional{},
	}
	d.admin = kadm.NewClient(d.open())
	return d
}

var connection = []kgo.Opt{
	kgo.ClientID("franz-go"),
	kgo.WithLogger(kgo.BasicLogger(os.Stderr, kgo.LogLevelWarn, nil)),
	kgo.RetryBackoffFn(func(int) time.Duration { return 50 * time.Millisecond }),
	kgo.MetadataMinAge(50 * time.Millisecond),
}

func (d *driver) options(opts ...kgo.Opt) []kgo.Opt {
	return slices.Concat(connection, []kgo.Opt{kgo.SeedBrokers(d.brokers...)}, securityOptions(), opts)
}

// Options that are wrong are a fault of the driver.
func (d *driver) open(opts ...kgo.Opt) *kgo.Client {
	client, err := kgo.NewClient(d.options(opts...)...)
	if err != nil {
		panic(err)
	}
	return client
}

func (d *driver) createTopics(topics []topicSpec) error {
	for _, topic := range topics {
		configs := map[string]*string{}
		for name, value := range topic.Configs {
			configs[name] = &value
		}
		_, err := d.admin.CreateTopic(background, topic.Partitions, topic.ReplicationFactor, configs, topic.Name)
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *driver) listTopics() ([]string, error) {
	topics, err := d.admin.ListTopicsWithInternal(background)
	return topics.Names(), err
}

func (d *driver) deleteTopics(names []string) error {
	topics, err := d.admin.DeleteTopics(background, names...)
	if err != nil {
		return err
	}
	return topics.Error()
}

var acksOf = map[string]kgo.Acks{"0": kgo.NoAck(), "1": kgo.LeaderAck(), "all": kgo.AllISRAcks()}

var codecOf = map[string]kgo.CompressionCodec{
	"none":   kgo.NoCompression(),
	"gzip":   kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(),
	"lz4":    kgo.Lz4Compression(),
	"zstd":   kgo.ZstdCompression(),
}

func (d *driver) producer(settings producerSettings) *kgo.Client {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if client, ok := d.producers[settings]; ok {
		return client
	}
	opts := []kgo.Opt{
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.RequiredAcks(acksOf[settings.Acks]),
		kgo.ProducerBatchCompression(codecOf[settings.Compression]),
		kgo.ProducerLinger(time.Millisecond),
	}
	if !settings.Idempotent {
		opts = append(opts, kgo.DisableIdempotentWrite())
	}
	client := d.open(opts...)
	d.producers[settings] = client
	return client
}

func toSend(r record) *kgo.Record {
	sent := &kgo.Record{Topic: r.Topic, Partition: r.Partition, Key: r.Key, Value: r.Value}
	for _, h := range r.Headers {
		sent.Headers = append(sent.Headers, kgo.RecordHeader{Key: h.name, Value: h.value})
	}
	if r.Timestamp != nil {
		sent.Timestamp = time.UnixMilli(*r.Timestamp)
	}
	return sent
}

func received(r *kgo.Record) record {
	timestamp := r.Timestamp.UnixMilli()
	headers := []header{}
	for _, h := range r.Headers {
		headers = append(headers, header{h.Key, h.Value})
	}
	return record{r.Topic, r.Partition, r.Offset, r.Key, r.Value, headers, &timestamp}
}

func (d *driver) produce(settings producerSettings, records []record) ([]*int64, error) {
	sent := make([]*kgo.Record, len(records))
	for i, r := range records {
		sent[i] = toSend(r)
	}
	if err := d.producer(settings).ProduceSync(background, sent...).FirstErr(); err != nil {
		return nil, err
	}
	offsets := make([]*int64, len(records))
	if settings.Acks != "0" {
		for i, r := range sent {
			offsets[i] = &r.Offset
		}
	}
	return offsets, nil
}

var isolationOf = map[string]kgo.IsolationLevel{
	"":                 kgo.ReadUncommitted(),
	"read_uncommitted": kgo.ReadUncommitted(),
	"read_committed":   kgo.ReadCommitted(),
}

func (d *driver) read(topic string, partitions int32, count int, isolation string) ([]record, error) {
	from := map[int32]kgo.Offset{}
	for partition := range partitions {
		from[partition] = kgo.NewOffset().AtStart()
	}
	client := d.open(
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}),
		kgo.FetchIsolationLevel(isolationOf[isolation]),
	)
	defer client.Close()
	records := []record{}
	for len(records) < count {
		fetches := client.PollFetches(background)
		if err := fetches.Err(); err != nil {
			return nil, err
		}
		fetches.EachRecord(func(r *kgo.Record) { records = append(records, received(r)) })
	}
	return records, nil
}

func (d *driver) member(name string) (*member, error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if m, ok := d.members[name]; ok {
		return m, nil
	}
	return nil, fmt.Errorf("no member '%s'", name)
}

func (d *driver) join(r request, topics []string) error {
	m := newMember(r.Member)
	opts := append(m.options(r.Group, r.Protocol, topics), kgo.FetchIsolationLevel(isolationOf[r.Isolation]))
	if r.TransactionalID == "" {
		m.run(d.open(opts...))
	} else if err := d.transform(m, r.TransactionalID, opts); err != nil {
		return err
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.members[r.Member] = m
	return nil
}

func (d *driver) commit(name string) error {
	m, err := d.member(name)
	if err != nil {
		return err
	}
	return m.client.CommitUncommittedOffsets(background)
}

func (d *driver) leave(name string) error {
	m, err := d.member(name)
	if err != nil {
		return err
	}
	m.leave()
	d.mutex.Lock()
	defer d.mutex.Unlock()
	delete(d.members, name)
	return nil
}

func (d *driver) close() {
	for _, l := range d.loads {
		l.stop()
	}
	for _, m := range d.members {
		m.leave()
	}
	for _, client := range d.producers {
		client.Close()
	}
	for _, each := range d.transactionals {
		each.close()
	}
	d.admin.Close()
}
