package main

import (
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Who writes in transactions.
type transactional interface {
	init() error
	begin() error
	send(records []*kgo.Record) error
	end(commit bool) error
	close()
}

type producer struct{ client *kgo.Client }

var durable = []kgo.Opt{
	kgo.RecordPartitioner(kgo.ManualPartitioner()),
	kgo.ProducerBatchCompression(kgo.NoCompression()),
	kgo.ProducerLinger(0),
}

// It gets its id and epoch when they are first wanted.
func (p producer) init() error {
	_, _, err := p.client.ProducerID(background)
	return err
}

func (p producer) begin() error { return p.client.BeginTransaction() }

func (p producer) send(records []*kgo.Record) error {
	return p.client.ProduceSync(background, records...).FirstErr()
}

func (p producer) end(commit bool) error {
	if err := p.client.Flush(background); err != nil {
		return err
	}
	return p.client.EndTransaction(background, kgo.TransactionEndTry(commit))
}

func (p producer) close() { p.client.Close() }

// A member that is its own producer: its offsets go with every commit, and after an abort it reads again.
type session struct {
	producer
	transactions *kgo.GroupTransactSession
}

func (s session) begin() error { return s.transactions.Begin() }

func (s session) end(commit bool) error {
	committed, err := s.transactions.End(background, kgo.TransactionEndTry(commit))
	if err == nil && commit && !committed {
		return errors.New("aborted: the group was rebalanced")
	}
	return err
}

// Its member closes it.
func (s session) close() {}

// Lets a member read for a transactional producer.
func (d *driver) transform(m *member, id string, opts []kgo.Opt) error {
	opts = append(append(opts, durable...), kgo.TransactionalID(id))
	transactions, err := kgo.NewGroupTransactSession(d.options(opts...)...)
	if err != nil {
		return err
	}
	m.poll = transactions.PollFetches
	m.run(transactions.Client())
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.transactionals[id] = session{producer{transactions.Client()}, transactions}
	return nil
}

func (d *driver) initTransactional(id string) error {
	d.mutex.Lock()
	known := d.transactionals[id]
	d.mutex.Unlock()
	if joined, ok := known.(session); ok {
		return joined.init()
	}
	if known != nil {
		known.close()
	}
	opened := producer{d.open(append(durable, kgo.TransactionalID(id))...)}
	d.mutex.Lock()
	d.transactionals[id] = opened
	d.mutex.Unlock()
	return opened.init()
}

func (d *driver) transact(r request) error {
	d.mutex.Lock()
	known := d.transactionals[r.TransactionalID]
	d.mutex.Unlock()
	if known == nil {
		return fmt.Errorf("no producer '%s'", r.TransactionalID)
	}
	switch r.Op {
	case "begin":
		return known.begin()
	case "send":
		records := make([]*kgo.Record, len(r.Records))
		for i, each := range r.Records {
			records[i] = toSend(each)
		}
		return known.send(records)
	case "end":
		return known.end(r.Outcome == "commit")
	}
	if _, ok := known.(session); !ok {
		return errors.New("offsets go with the transactions of the member itself")
	}
	return nil
}
