package format

// routeFlags returns the set of flags of a NETLINK_ROUTE message: its type
// tells whether it makes, deletes, asks or sets.
func routeFlags(kind uint64) string {
	switch kind & 3 {
	case 0:
		return "netlink_new_flags"
	case 1:
		return "netlink_delete_flags"
	case 2:
		return "netlink_get_flags"
	}
	return "netlink_flags"
}

// rtmBase is the first type of NETLINK_ROUTE; they come in groups of four:
// NEW, DEL, GET, SET (include/uapi/linux/rtnetlink.h).
const rtmBase = 16

// routeShapes are the payloads of NETLINK_ROUTE by group of types.
var routeShapes = map[uint64]*netlinkShape{
	0:  {"ifinfomsg", "rtnl_ifla_attrs"},
	1:  {"ifaddrmsg", "rtnl_addr_attrs"},
	2:  {"rtmsg", "rtnl_route_attrs"},
	3:  {"ndmsg", "rtnl_neigh_attrs"},
	4:  {"fib_rule_hdr", "rtnl_rule_attrs"},
	5:  {"tcmsg", "rtnl_tc_attrs"},
	6:  {"tcmsg", "rtnl_tc_attrs"},
	7:  {"tcmsg", "rtnl_tc_attrs"},
	18: {"rtgenmsg", "rtnl_nsid_attrs"},
	22: {"nhmsg", "rtnl_nh_attrs"},
}

// routePayload returns the form of a NETLINK_ROUTE message.
func routePayload(kind uint64) *netlinkShape {
	if kind < rtmBase {
		return nil
	}
	return routeShapes[(kind-rtmBase)/4]
}
