package main

import (
	"log/slog"
	"reflect"
	"strings"
)

// unverified returns the connections, by the names of their settings, whose other
// end may be anybody.
func (c Config) unverified() []string { return unverified(reflect.ValueOf(c), "") }

func unverified(in reflect.Value, path string) []string {
	var names []string
	for i := range in.NumField() {
		field := in.Field(i)
		if field.Kind() != reflect.Struct {
			continue
		}
		key := path + in.Type().Field(i).Tag.Get("mapstructure")
		if settings, is := reflect.TypeAssert[TLSConfig](field); is {
			if settings.Enabled && settings.InsecureSkipVerify {
				names = append(names, strings.TrimSuffix(key, ".tls"))
			}
			continue
		}
		names = append(names, unverified(field, key+".")...)
	}
	return names
}

// warnUnverified says so once for each of these connections.
func warnUnverified(log *slog.Logger, c Config) {
	for _, name := range c.unverified() {
		log.Warn("CERTIFICATES ARE NOT VERIFIED on this connection: whoever is on the way reads and changes everything, names and passwords included",
			"connection", name, "setting", name+".tls.insecure_skip_verify", "advice", "set "+name+".tls.ca_file instead")
	}
}
