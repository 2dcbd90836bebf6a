// Package lease lets one of several processes lead. Who leads says so again and again in a key-value bucket; who hears
// nothing new for a while takes over. Clocks are not compared: each process measures by its own how long nothing was
// said. What the leader does is not known here, and must not depend on there being one leader only.
package lease
