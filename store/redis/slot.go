package redis

import (
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

const (
	slots        = 1 << 14 // of a cluster
	clusterLanes = 12      // so that 2, 3, 4, 6 or 12 equal servers share no lane
)

// lanes are the lanes of a client. One server has one lane. In a cluster each lane has a range of slots, so that a server that does not
// answer holds up few calls for the others.
type lanes []*lane

func newLanes(client goredis.UniversalClient, newLane func(width int) *lane) lanes {
	if _, ok := client.(*goredis.ClusterClient); !ok {
		return lanes{newLane(serverWidth)}
	}
	all := make(lanes, clusterLanes)
	for i := range all {
		all[i] = newLane(1)
	}
	return all
}

// of returns the lane for a key.
func (l lanes) of(key string) *lane {
	if len(l) == 1 {
		return l[0]
	}
	return l[slot(key)*len(l)/slots]
}

func (l lanes) close() {
	for _, one := range l {
		one.close()
	}
}

// slot returns the slot of a key, as the specification of Redis Cluster defines it: CRC-16/XMODEM of the text between the first pair of
// braces, or of the whole key.
func slot(key string) int {
	if _, after, ok := strings.Cut(key, "{"); ok {
		if tag, _, ok := strings.Cut(after, "}"); ok && tag != "" {
			key = tag
		}
	}
	crc := uint16(0)
	for i := range len(key) {
		crc = crc<<8 ^ crcTable[byte(crc>>8)^key[i]]
	}
	return int(crc) % slots
}

var crcTable = func() (table [256]uint16) {
	for i := range table {
		crc := uint16(i) << 8
		for range 8 {
			carry := crc >> 15
			crc = crc<<1 ^ carry*0x1021
		}
		table[i] = crc
	}
	return table
}()
