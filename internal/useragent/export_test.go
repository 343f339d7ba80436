package useragent

// Names are the tables of names.
func Names() [][][2]string { return [][][2]string{browsers, brands, systems} }
