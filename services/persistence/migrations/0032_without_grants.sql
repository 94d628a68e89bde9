-- Permissions in every organization are given by nothing yet: the column waited for a use that it does not have.
ALTER TABLE subjects DROP COLUMN grants;
