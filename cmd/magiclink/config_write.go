package main

import (
	"encoding/json"
	"fmt"

	"github.com/magiclink-go/magiclink/internal/trustedfile"
)

// changeConfig reads the configuration, changes it and replaces the file in one step, while no other process changes it.
func changeConfig(data *dataDir, change func(*configFile) error) error {
	if data.config == "" {
		if err := data.checkSetUp(); err != nil {
			return err
		}
	}
	return locked(data.configPath(), func() error {
		config, err := data.readConfig()
		if err != nil {
			return err
		}
		if err := change(config); err != nil {
			return err
		}
		if err := config.check(); err != nil {
			return err
		}
		return config.write(data.configPath())
	})
}

// write replaces the file in one step, with mode 0600: after a crash there is the old content or the new one.
func (c *configFile) write(path string) error {
	text, err := json.MarshalIndent(c, "", "  ")
	if err == nil {
		err = trustedfile.Replace(path, append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return nil
}

// MarshalJSON writes lists that are empty as [], never as null.
func (c configFile) MarshalJSON() ([]byte, error) {
	type plain configFile
	if c.Clients == nil {
		c.Clients = []clientEntry{}
	}
	if c.Businesses == nil {
		c.Businesses = []businessEntry{}
	}
	return json.Marshal(plain(c))
}
