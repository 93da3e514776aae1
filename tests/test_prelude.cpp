// Nothing: the target test_prelude holds the header that tests are precompiled with.
