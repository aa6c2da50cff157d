//! What the configuration refers to, fetched: keys, key sets, the country database.
